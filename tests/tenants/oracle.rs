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
    /// What a key of weight 1 would have earned, if it had had a turn all the time; a permit is [`PERMIT`].
    handed_out: i128,
    /// When a key that has a turn has earned a permit.
    due_at: BTreeMap<u32, i128>,
    /// The key that stays next, because its first call waits for more permits than were free.
    reserving: Option<u32>,
    /// The earnings of keys that are not spent, for their next turns.
    earned: BTreeMap<u32, i128>,
}

const PERMIT: i128 = 1 << 64;

impl Oracle {
    pub(super) fn new(bounds: Bounds) -> Self {
        let (own, keys) = (BTreeMap::new(), BTreeMap::new());
        let (due_at, earned) = (BTreeMap::new(), BTreeMap::new());
        Self {
            bounds,
            own,
            keys,
            turns: Vec::new(),
            weighted: false,
            turns_given: 0,
            handed_out: 0,
            due_at,
            reserving: None,
            earned,
        }
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
            if !self.weighted && key_weight != 1 {
                self.weighted = true;
                self.due_at = self.turns.iter().map(|&turn| (turn, PERMIT)).collect();
            }
            self.keys.entry(name).or_default().weight = key_weight;
            // What it has earned stays.
            let from_now = self.handed_out + PERMIT / i128::from(key_weight);
            self.due_at.entry(name).and_modify(|at| *at = from_now.min(*at));
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
        for (name, key) in &mut self.keys {
            if key.in_use == 0 && key.queue.is_empty() {
                key.weight = 0;
                self.earned.remove(name);
            }
        }
        let has_weights = self.keys.values().any(|key| key.weight > 1);
        self.weighted &= has_weights || !self.turns.is_empty();
        if !self.weighted {
            self.handed_out = 0;
            self.due_at.clear();
            self.reserving = None;
            self.earned.clear();
        }
    }

    fn weight_of(&self, name: u32) -> i128 {
        i128::from(self.keys[&name].weight.max(1))
    }

    /// Returns what a key of weight 1 earns of a permit.
    fn share_of_permit(&self) -> i128 {
        let sum: i128 = self.turns.iter().map(|&name| self.weight_of(name)).sum();
        (PERMIT + sum - 1) / sum
    }

    /// Returns whether a key that has a turn holds nothing, and has earned a permit.
    fn is_due(&self, name: u32) -> bool {
        let has_earned = self.due_at[&name] <= self.handed_out + self.share_of_permit();
        has_earned && self.keys[&name].in_use == 0
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
            if self.weighted {
                let earned = self.earned.remove(&name).unwrap_or(0);
                let due_at = self.handed_out - earned + PERMIT / self.weight_of(name);
                self.due_at.insert(name, due_at);
            }
        } else if !is_ready {
            self.end_turn(name);
        }
    }

    fn end_turn(&mut self, name: u32) {
        self.turns.retain(|&other| other != name);
        self.due_at.remove(&name);
        self.reserving.take_if(|reserving| *reserving == name);
    }

    /// Returns the key that is next.
    fn next(&self) -> Option<u32> {
        if !self.weighted {
            return self.turns.first().copied();
        }
        if self.reserving.is_some() {
            return self.reserving;
        }
        let part = |name: &u32| {
            let key = &self.keys[name];
            // Weights up to 6, so that the parts are whole numbers.
            (key.in_use + 1) * 60 / key.weight.max(1)
        };
        let turns = self.turns.iter().copied();
        let due = turns.clone().filter(|&name| self.is_due(name));
        due.min_by_key(|name| self.due_at[name]).or_else(|| turns.min_by_key(part))
    }

    /// Serves the calls that can be served. Returns them in order.
    pub(super) fn serve(&mut self) -> Vec<u32> {
        let mut served = Vec::new();
        while let Some(name) = self.next() {
            let (number, weight) = self.keys[&name].queue[0];
            if self.in_use() + weight > self.bounds.total {
                let keeps_some = self.weighted && self.in_use() < self.bounds.total;
                if keeps_some {
                    self.reserving = Some(name);
                }
                break;
            }
            if self.weighted {
                let is_due = self.is_due(name);
                self.handed_out += i128::from(weight) * self.share_of_permit();
                if is_due {
                    // It has earned one permit, and pays for all.
                    let permit = PERMIT / self.weight_of(name);
                    let others = i128::from(weight - 1) * permit;
                    let earned = self.handed_out - self.due_at[&name] - others;
                    self.earned.insert(name, earned.min(permit));
                }
            }
            let key = self.keys.entry(name).or_default();
            key.queue.pop_front();
            key.in_use += weight;
            served.push(number);
            self.end_turn(name);
            self.refresh(name);
        }
        served
    }

    pub(super) fn release(&mut self, name: u32, weight: u32) {
        let key = self.keys.entry(name).or_default();
        key.in_use -= weight;
        if key.in_use == 0 {
            // It has earned nothing while it held permits, but for the first one that it waits for.
            let from_now = self.handed_out;
            self.due_at.entry(name).and_modify(|at| *at = from_now.max(*at));
        }
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
