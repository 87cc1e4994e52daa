//! The rules for keys, written down plainly: each decision looks at everything anew.

use std::collections::{BTreeMap, VecDeque};

/// What becomes of a call when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Admitted,
    Waits,
    NoPermits,
    QueueFull,
    TooHeavy,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    pub(super) in_use: u32,
    /// The weight that a call has given last; 0 if none has.
    pub(super) weight: u32,
    /// The calls that wait, with the permits that each wants, the next first.
    pub(super) queue: VecDeque<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The limit of each key.
    pub(super) limit: u32,
    pub(super) total: u32,
    pub(super) max_waiting: usize,
    pub(super) max_waiting_total: usize,
    /// The newest call of a key is served first.
    pub(super) lifo: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Oracle {
    pub(super) bounds: Bounds,
    /// The limits that single keys have in place of the limit of each.
    pub(super) own: BTreeMap<u32, u32>,
    pub(super) keys: BTreeMap<u32, Key>,
    /// The keys whose first call waits for nothing but the total, in the order in which they have come to that.
    turns: Vec<u32>,
    /// A call has given its key another weight than 1, and since then such a key was there, or a key had a turn.
    weighted: bool,
    /// The turns that were given since this was set to 0.
    pub(super) turns_given: usize,
}

impl Oracle {
    pub(super) fn new(bounds: Bounds) -> Self {
        let (own, keys) = (BTreeMap::new(), BTreeMap::new());
        Self { bounds, own, keys, turns: Vec::new(), weighted: false, turns_given: 0 }
    }

    pub(super) fn waiting(&self) -> usize {
        self.keys.values().map(|key| key.queue.len()).sum()
    }

    fn in_use(&self) -> u32 {
        self.keys.values().map(|key| key.in_use).sum()
    }

    fn limit_of(&self, name: u32) -> u32 {
        self.own.get(&name).copied().unwrap_or(self.bounds.limit)
    }

    fn is_too_heavy(&self, key: u32, weight: u32) -> bool {
        let bounds = [self.limit_of(key), self.bounds.total];
        bounds.into_iter().any(|bound| bound > 0 && weight > bound)
    }

    /// A call comes. Returns the calls that it has put out of the queue as well.
    pub(super) fn come(
        &mut self,
        number: u32,
        name: u32,
        weight: u32,
        waits: bool,
        key_weight: Option<u32>,
    ) -> (Arrival, Vec<u32>) {
        self.forget_weights();
        if let Some(key_weight) = key_weight {
            self.weighted |= key_weight != 1;
            self.keys.entry(name).or_default().weight = key_weight;
        }
        let bounds = self.bounds;
        if self.is_too_heavy(name, weight) {
            return (Arrival::TooHeavy, Vec::new());
        }
        let (all, limit) = (self.waiting(), self.limit_of(name));
        let total = self.in_use() + weight <= bounds.total && self.turns.is_empty();
        let key = self.keys.entry(name).or_default();
        let is_next = key.queue.is_empty() || bounds.lifo;
        if total && is_next && key.in_use + weight <= limit {
            key.in_use += weight;
            return (Arrival::Admitted, Vec::new());
        }
        if !waits {
            return (Arrival::NoPermits, Vec::new());
        }
        let mut evicted = Vec::new();
        let is_longer = key.queue.len() > bounds.max_waiting || all > bounds.max_waiting_total;
        if key.queue.len() >= bounds.max_waiting || all >= bounds.max_waiting_total {
            let may_wait = bounds.max_waiting > 0 && bounds.max_waiting_total > 0;
            if !bounds.lifo || !may_wait || key.queue.is_empty() {
                return (Arrival::QueueFull, Vec::new());
            }
            let puts_out = if is_longer { 2 } else { 1 };
            for _ in 0..puts_out {
                evicted.extend(self.keys.entry(name).or_default().queue.pop_back());
                // A key without waiters has no turn.
                self.refresh(name);
            }
        }
        let queue = &mut self.keys.entry(name).or_default().queue;
        if bounds.lifo {
            queue.push_front((number, weight));
        } else {
            queue.push_back((number, weight));
        }
        self.refresh(name);
        (Arrival::Waits, evicted.into_iter().map(|(number, _)| number).collect())
    }

    /// Forgets the weights of keys that are not there any more.
    fn forget_weights(&mut self) {
        for key in self.keys.values_mut() {
            if key.in_use == 0 && key.queue.is_empty() {
                key.weight = 0;
            }
        }
        let has_weights = self.keys.values().any(|key| key.weight > 1);
        self.weighted &= has_weights || !self.turns.is_empty();
    }

    /// Gives a key the last turn, or takes its turn away.
    fn refresh(&mut self, name: u32) {
        let (limit, key) = (self.limit_of(name), &self.keys[&name]);
        let is_ready = key.queue.front().is_some_and(|(_, weight)| key.in_use + weight <= limit);
        let has_turn = self.turns.contains(&name);
        if is_ready && !has_turn {
            self.forget_weights();
            self.turns.push(name);
            self.turns_given += 1;
        } else if !is_ready {
            self.turns.retain(|&other| other != name);
        }
    }

    /// Returns the key that is next.
    fn next(&self) -> Option<u32> {
        if !self.weighted {
            return self.turns.first().copied();
        }
        let part = |name: &u32| {
            let key = &self.keys[name];
            // Weights up to 6, so that the parts are whole numbers.
            key.in_use * 60 / key.weight.max(1)
        };
        self.turns.iter().copied().min_by_key(part)
    }

    /// Serves the calls that can be served. Returns them in order.
    pub(super) fn serve(&mut self) -> Vec<u32> {
        let mut served = Vec::new();
        while let Some(name) = self.next() {
            let (number, weight) = self.keys[&name].queue[0];
            if self.in_use() + weight > self.bounds.total {
                break;
            }
            let key = self.keys.entry(name).or_default();
            key.queue.pop_front();
            key.in_use += weight;
            served.push(number);
            self.turns.retain(|&other| other != name);
            self.refresh(name);
        }
        served
    }

    pub(super) fn release(&mut self, name: u32, weight: u32) {
        self.keys.entry(name).or_default().in_use -= weight;
        self.refresh(name);
    }

    pub(super) fn cancel(&mut self, name: u32, number: u32) {
        let key = self.keys.entry(name).or_default();
        key.queue.retain(|&(other, _)| other != number);
        self.refresh(name);
    }

    /// Applies a change of a bound. Returns the calls that are too heavy now.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Self)) -> Vec<u32> {
        change(self);
        let mut refused = Vec::new();
        let names: Vec<u32> = self.keys.keys().copied().collect();
        for &name in &names {
            self.refresh(name);
        }
        for name in names {
            let queue = self.keys[&name].queue.clone();
            for (number, weight) in queue {
                if self.is_too_heavy(name, weight) {
                    self.cancel(name, number);
                    refused.push(number);
                }
            }
        }
        refused
    }
}
