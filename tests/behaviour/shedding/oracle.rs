//! A plain model of a queue that sheds calls: a vector that is searched from end to end, and the rules word for word.

use limit_runtime::{Order, RejectedKind};
use std::collections::BTreeMap;

/// A call that comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) number: u32,
    pub(super) weight: u32,
    pub(super) priority: u8,
    /// How long it waits, in milliseconds.
    pub(super) max_wait: Option<u64>,
    /// It waits at all.
    pub(super) waits: bool,
}

#[derive(Clone, Debug)]
struct Waiter {
    call: Call,
    /// The time in milliseconds from which on its wait counts for its priority.
    came: u64,
    until: Option<u64>,
}

/// The fate of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Waits,
    Admitted,
    Refused(RejectedKind),
}

#[derive(Debug)]
pub(super) struct Oracle {
    order: Order,
    pub(super) limit: u32,
    pub(super) max_waiting: usize,
    in_use: u32,
    /// In the order in which they came.
    queue: Vec<Waiter>,
    /// The fates of calls that were served or refused while they waited, and have not been told yet.
    fates: BTreeMap<u32, Fate>,
    /// Calls are sorted by priority. It begins with the first that has one.
    is_ranked: bool,
    /// Whether it is so from the start on.
    starts_ranked: bool,
    /// It is the queue of a key, which is forgotten when it is idle.
    is_of_key: bool,
}

impl Oracle {
    pub(super) fn new(order: Order, limit: u32, max_waiting: usize, is_ranked: bool) -> Self {
        let (queue, fates, starts_ranked) = (Vec::new(), BTreeMap::new(), is_ranked);
        let is_of_key = false;
        Self {
            order,
            limit,
            max_waiting,
            in_use: 0,
            queue,
            fates,
            is_ranked,
            starts_ranked,
            is_of_key,
        }
    }

    /// Makes it the queue of a key.
    pub(super) fn of_key(self) -> Self {
        Self { is_of_key: true, ..self }
    }

    pub(super) fn in_use(&self) -> usize {
        self.in_use as usize
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    fn free(&self) -> u32 {
        self.limit.saturating_sub(self.in_use)
    }

    pub(super) fn come(&mut self, call: Call, now: u64) -> Fate {
        let fate = self.decide(call);
        match fate {
            Fate::Admitted => self.in_use += call.weight,
            Fate::Waits => {
                if call.priority > 0 && !self.is_ranked {
                    // Calls that wait already count as having come just then.
                    self.queue.iter_mut().for_each(|waiter| waiter.came = now);
                    self.is_ranked = true;
                }
                let until = call.max_wait.map(|max_wait| now + max_wait);
                self.queue.push(Waiter { call, came: now, until });
            }
            Fate::Refused(_) => {}
        }
        self.serve(now);
        fate
    }

    fn decide(&mut self, call: Call) -> Fate {
        if self.limit > 0 && call.weight > self.limit {
            return Fate::Refused(RejectedKind::TooHeavy);
        }
        if self.queue.is_empty() && call.weight <= self.free() {
            return Fate::Admitted;
        }
        if !call.waits {
            return Fate::Refused(RejectedKind::NoPermits);
        }
        if self.queue.len() >= self.max_waiting {
            // One makes room for the call, and another makes a queue shorter that is too long.
            let most = if self.queue.len() > self.max_waiting { 2 } else { 1 };
            let evicted = (0..most).filter(|_| self.evict(call.priority)).count();
            if evicted == 0 {
                return Fate::Refused(RejectedKind::QueueFull);
            }
        }
        Fate::Waits
    }

    /// Refuses the youngest of the lowest priority, if that is below this one.
    fn evict(&mut self, priority: u8) -> bool {
        if self.order != Order::Fifo || self.max_waiting == 0 {
            return false;
        }
        let lowest = (0..self.queue.len())
            .rev()
            .min_by_key(|&index| self.queue[index].call.priority)
            .filter(|&index| self.queue[index].call.priority < priority);
        let Some(index) = lowest else { return false };
        self.refuse(index, RejectedKind::Evicted);
        true
    }

    fn refuse(&mut self, index: usize, kind: RejectedKind) {
        let waiter = self.queue.remove(index);
        self.fates.insert(waiter.call.number, Fate::Refused(kind));
    }

    fn first(&self) -> Option<usize> {
        // Of equals the first.
        (0..self.queue.len()).min_by_key(|&index| {
            let Waiter { call, came, until } = &self.queue[index];
            if self.order == Order::Deadline {
                // Those without a deadline are last.
                return (until.map_or(i64::MAX, signed), 0);
            }
            // Each level of priority counts as a second of waiting. If that is equal, the lower came earlier.
            (signed(*came) - 1000 * i64::from(call.priority), call.priority)
        })
    }

    pub(super) fn serve(&mut self, now: u64) {
        while let Some(index) = self.first() {
            let Call { number, weight, .. } = self.queue[index].call;
            if weight > self.free() {
                return;
            }
            if self.order == Order::Deadline && self.is_over(index, now) {
                // Its turn has come too late.
                self.refuse(index, RejectedKind::TimedOut);
                continue;
            }
            self.queue.remove(index);
            self.in_use += weight;
            self.fates.insert(number, Fate::Admitted);
        }
        if self.is_of_key && self.in_use == 0 {
            self.is_ranked = self.starts_ranked;
        }
    }

    /// Tells a call that waits its fate, at its poll.
    pub(super) fn poll(&mut self, number: u32, now: u64) -> Fate {
        if let Some(fate) = self.fates.remove(&number) {
            if fate != Fate::Admitted {
                self.serve(now);
            }
            return fate;
        }
        let index = self.index(number);
        if !self.is_over(index, now) {
            return Fate::Waits;
        }
        self.queue.remove(index);
        self.serve(now);
        Fate::Refused(RejectedKind::TimedOut)
    }

    fn is_over(&self, index: usize, now: u64) -> bool {
        self.queue[index].until.is_some_and(|until| until <= now)
    }

    fn index(&self, number: u32) -> usize {
        let index = self.queue.iter().position(|waiter| waiter.call.number == number);
        index.expect("it waits")
    }

    /// Drops a call that waits.
    pub(super) fn cancel(&mut self, call: Call, now: u64) {
        match self.fates.remove(&call.number) {
            Some(Fate::Admitted) => self.in_use -= call.weight,
            Some(_) => {}
            None => {
                let index = self.index(call.number);
                self.queue.remove(index);
            }
        }
        self.serve(now);
    }

    pub(super) fn release(&mut self, weight: u32, now: u64) {
        self.in_use -= weight;
        self.serve(now);
    }

    pub(super) fn set_limit(&mut self, limit: u32, now: u64) {
        self.limit = limit;
        while let Some(index) =
            self.queue.iter().position(|waiter| limit > 0 && waiter.call.weight > limit)
        {
            self.refuse(index, RejectedKind::TooHeavy);
        }
        self.serve(now);
    }
}

fn signed(time: u64) -> i64 {
    time.try_into().expect("a run is short")
}
