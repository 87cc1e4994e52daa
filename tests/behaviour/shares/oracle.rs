//! A plain model of shares: vectors that are searched from end to end, and the rules word for word.

use std::collections::VecDeque;

/// A share as the model knows it.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) percent: u32,
    pub(super) at_most: u32,
    pub(super) is_reserved: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) in_use: u32,
    /// The number and the weight of each waiter.
    pub(super) queue: VecDeque<(u32, u32)>,
    last_served: u64,
    credit: u32,
}

#[derive(Debug)]
pub(super) struct Oracle {
    parts: Vec<Part>,
    pub(super) states: Vec<State>,
    pub(super) limit: u32,
    pub(super) max_waiting: usize,
    served: u64,
}

/// The fate of a call that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Admitted,
    Waits,
    NoPermits,
    QueueFull,
    TooHeavy,
}

impl Oracle {
    /// `parts` has the rest as its last.
    pub(super) fn new(parts: Vec<Part>, limit: u32, max_waiting: usize) -> Self {
        assert_eq!(parts.iter().map(|part| part.percent).sum::<u32>(), 100);
        let states = vec![State::default(); parts.len()];
        Self { parts, states, limit, max_waiting, served: 0 }
    }

    /// Returns what each share is guaranteed, by the largest remainder.
    pub(super) fn guaranteed(&self) -> Vec<u32> {
        // In hundredths of a permit.
        let exact: Vec<u32> = self.parts.iter().map(|part| self.limit * part.percent).collect();
        let mut whole: Vec<u32> = exact.iter().map(|exact| exact / 100).collect();
        while whole.iter().sum::<u32>() < self.limit {
            let missing = |&index: &usize| i64::from(exact[index]) - i64::from(whole[index]) * 100;
            // The first of equals.
            let next = (0..whole.len()).rev().max_by_key(missing).expect("there are shares");
            whole[next] += 1;
        }
        whole
    }

    pub(super) fn at_most(&self, share: usize) -> u32 {
        let most = self.limit * self.parts[share].at_most / 100;
        most.max(self.guaranteed()[share]).max(u32::from(self.limit > 0))
    }

    fn reserve(&self, share: usize) -> u32 {
        if self.parts[share].is_reserved { self.limit * self.parts[share].percent / 100 } else { 0 }
    }

    fn held_back(&self, share: usize) -> u32 {
        self.reserve(share).saturating_sub(self.states[share].in_use)
    }

    pub(super) fn in_use(&self) -> u32 {
        self.states.iter().map(|state| state.in_use).sum()
    }

    /// Returns whether a call may run, by the limit, its share's most, and the reserves of others.
    pub(super) fn may_run(&self, share: usize, weight: u32) -> bool {
        let free = i64::from(self.limit) - i64::from(self.in_use());
        let others = (0..self.parts.len()).filter(|&other| other != share);
        if weight <= self.held_back(share) {
            return i64::from(weight) <= free;
        }
        let for_others: u32 = others.map(|other| self.held_back(other)).sum();
        let for_others = for_others.min(self.limit.saturating_sub(1));
        self.states[share].in_use + weight <= self.at_most(share)
            && free - i64::from(weight) >= i64::from(for_others)
    }

    /// Returns the share that is served now, given a call that comes.
    fn next(&self, newcomer: Option<(usize, u32)>) -> Option<usize> {
        let guaranteed = self.guaranteed();
        let head = |share: usize| match newcomer {
            Some((of, weight)) if of == share => Some(weight),
            _ => self.states[share].queue.front().map(|&(_, weight)| weight),
        };
        let mut waiting: Vec<(usize, u32)> = (0..self.parts.len())
            .filter_map(|share| Some((share, head(share)?)))
            .filter(|&(share, weight)| self.states[share].in_use + weight <= self.at_most(share))
            .collect();
        let rank = |&(share, weight): &(usize, u32)| {
            let (state, percent) = (&self.states[share], self.parts[share].percent);
            let of = |number: u32, part: u32| match part {
                0 => f64::INFINITY,
                part => f64::from(number) / f64::from(part),
            };
            let is_paid = state.credit + weight * percent >= weight * 100;
            let is_due = guaranteed[share] == 0 && percent > 0 && is_paid;
            if is_due {
                (0, 0.0, 0.0)
            } else if state.in_use < guaranteed[share] {
                (1, of(state.in_use, guaranteed[share]), 0.0)
            } else {
                let number = state.in_use + weight;
                // Without a part the one with less comes first.
                (2, of(number, percent), if percent == 0 { f64::from(number) } else { 0.0 })
            }
        };
        waiting.sort_by(|one, other| {
            let (a, b) = (rank(one), rank(other));
            let served = |of: &(usize, u32)| self.states[of.0].last_served;
            a.0.cmp(&b.0)
                .then(a.1.total_cmp(&b.1))
                .then(a.2.total_cmp(&b.2))
                .then(served(one).cmp(&served(other)))
        });
        let &(share, weight) = waiting.first()?;
        if self.may_run(share, weight) {
            return Some(share);
        }
        // Others wait behind it, unless they take only what is held back for themselves.
        let takes_its_own = |&&(share, weight): &&(usize, u32)| {
            weight <= self.held_back(share) && self.may_run(share, weight)
        };
        waiting.iter().find(takes_its_own).map(|&(share, _)| share)
    }

    fn admit(&mut self, share: usize, weight: u32) {
        let guaranteed = self.guaranteed();
        for other in (0..self.parts.len()).filter(|&other| other != share) {
            let (at_most, percent) = (self.at_most(other), self.parts[other].percent);
            let state = &mut self.states[other];
            let could_run = !state.queue.is_empty() && state.in_use < at_most;
            if guaranteed[other] == 0 && percent > 0 && could_run {
                state.credit += weight * percent;
            }
        }
        self.served += 1;
        let others = 100 - self.parts[share].percent;
        let state = &mut self.states[share];
        state.in_use += weight;
        state.last_served = self.served;
        state.credit = state.credit.saturating_sub(weight * others);
    }

    /// A call comes.
    pub(super) fn come(&mut self, number: u32, share: usize, weight: u32, waits: bool) -> Arrival {
        let others = (0..self.parts.len()).filter(|&other| other != share);
        let reserved: u32 = others.map(|other| self.reserve(other)).sum();
        let heaviest = self.at_most(share).min(self.limit - reserved).max(1);
        if self.limit > 0 && weight > heaviest {
            return Arrival::TooHeavy;
        }
        let is_first = self.states[share].queue.is_empty();
        if is_first && self.next(Some((share, weight))) == Some(share) {
            self.admit(share, weight);
            return Arrival::Admitted;
        }
        if !waits {
            return Arrival::NoPermits;
        }
        if self.states[share].queue.len() >= self.max_waiting {
            return Arrival::QueueFull;
        }
        self.states[share].queue.push_back((number, weight));
        Arrival::Waits
    }

    /// Returns the waiters that are served now, in order.
    pub(super) fn serve(&mut self) -> Vec<u32> {
        let mut served = Vec::new();
        while let Some(share) = self.next(None) {
            // The head leaves the queue before the others are told that they were passed.
            let (number, weight) = self.states[share].queue.pop_front().expect("it waits");
            self.admit(share, weight);
            served.push(number);
        }
        served
    }

    pub(super) fn release(&mut self, share: usize, weight: u32) {
        self.states[share].in_use -= weight;
    }

    /// A waiter leaves.
    pub(super) fn cancel(&mut self, share: usize, number: u32) {
        self.states[share].queue.retain(|&(waiter, _)| waiter != number);
    }

    /// The limit changes. Returns the waiters that are too heavy for it.
    pub(super) fn set_limit(&mut self, limit: u32) -> Vec<u32> {
        self.limit = limit;
        let guaranteed = self.guaranteed();
        for (state, guaranteed) in self.states.iter_mut().zip(guaranteed) {
            if guaranteed > 0 {
                state.credit = 0;
            }
        }
        let mut refused = Vec::new();
        for share in 0..self.parts.len() {
            let others = (0..self.parts.len()).filter(|&other| other != share);
            let reserved: u32 = others.map(|other| self.reserve(other)).sum();
            let heaviest = self.at_most(share).min(limit - reserved).max(1);
            if limit > 0 {
                self.states[share].queue.retain(|&(number, weight)| {
                    let stays = weight <= heaviest;
                    refused.extend((!stays).then_some(number));
                    stays
                });
            }
        }
        refused
    }
}
