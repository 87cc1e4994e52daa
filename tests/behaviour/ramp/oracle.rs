//! The rules of a ramp, written down plainly: each decision looks at everything anew. Time is in milliseconds.

use std::collections::VecDeque;

/// What becomes of a call when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Admitted,
    Waits,
    NoPermits,
    TooHeavy,
}

#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) limit: u32,
    pub(super) takes: u64,
    /// The newest call is served first.
    pub(super) lifo: bool,
    pub(super) now: u64,
    /// When the ramp started; `None` before the first call.
    start: Option<u64>,
    /// The last time at which a permit was out, or a call waited or came.
    busy: u64,
    pub(super) in_use: u32,
    /// The calls that wait, with the permits that each wants, the next first.
    pub(super) queue: VecDeque<(u32, u32)>,
    /// How often the ramp has started, and how many calls were served by the time alone.
    pub(super) starts: u32,
    pub(super) served_by_time: u32,
}

impl Oracle {
    pub(super) fn new(limit: u32, takes: u64, lifo: bool) -> Self {
        Self {
            limit,
            takes,
            lifo,
            now: 0,
            start: None,
            busy: 0,
            in_use: 0,
            queue: VecDeque::new(),
            starts: 0,
            served_by_time: 0,
        }
    }

    /// Returns how many permits are let in: one at the start, and as many more of the rest as of the time has passed.
    pub(super) fn let_in(&self) -> u32 {
        let Some(start) = self.start else { return self.limit.min(1) };
        let passed = self.now - start;
        if self.limit == 0 || passed >= self.takes {
            return self.limit;
        }
        let more = u64::from(self.limit - 1) * passed / self.takes;
        1 + u32::try_from(more).expect("fewer than the limit")
    }

    /// Returns how many permits a reading says are withheld.
    pub(super) fn withheld(&self) -> u32 {
        if self.start.is_none() { 0 } else { self.limit - self.let_in() }
    }

    fn is_busy(&self) -> bool {
        self.in_use > 0 || !self.queue.is_empty()
    }

    /// A call comes.
    pub(super) fn come(&mut self, number: u32, weight: u32, waits: bool) -> Arrival {
        let is_idle = !self.is_busy() && self.now - self.busy >= self.takes;
        if self.start.is_none() || is_idle {
            self.start = Some(self.now);
            self.starts += 1;
        }
        self.busy = self.now;
        if self.limit > 0 && weight > self.limit {
            return Arrival::TooHeavy;
        }
        let is_next = self.queue.is_empty() || self.lifo;
        if is_next && self.in_use + weight <= self.let_in() {
            self.in_use += weight;
            return Arrival::Admitted;
        }
        if !waits {
            return Arrival::NoPermits;
        }
        if self.lifo {
            self.queue.push_front((number, weight));
        } else {
            self.queue.push_back((number, weight));
        }
        Arrival::Waits
    }

    /// Permits come back.
    pub(super) fn release(&mut self, weight: u32) {
        self.in_use -= weight;
        self.busy = self.now;
    }

    /// A call gives up waiting.
    pub(super) fn cancel(&mut self, number: u32) {
        self.queue.retain(|&(other, _)| other != number);
        self.busy = self.now;
    }

    /// Changes the limit. Returns the calls that want more than that.
    pub(super) fn set_limit(&mut self, limit: u32) -> Vec<u32> {
        self.limit = limit;
        if self.is_busy() {
            self.busy = self.now;
        }
        let is_too_heavy = |&&(_, weight): &&(u32, u32)| limit > 0 && weight > limit;
        let refused = self.queue.iter().filter(is_too_heavy).map(|&(number, _)| number).collect();
        self.queue.retain(|call| !is_too_heavy(&call));
        refused
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, time: u64) {
        self.now += time;
        if self.is_busy() {
            self.busy = self.now;
        }
    }

    /// Serves the calls that can be, in order.
    pub(super) fn serve(&mut self) -> Vec<u32> {
        let mut served = Vec::new();
        while let Some(&(number, weight)) = self.queue.front() {
            if self.in_use + weight > self.let_in() {
                break;
            }
            self.in_use += weight;
            self.queue.pop_front();
            served.push(number);
        }
        served
    }
}
