//! A plain model of a limiter whose calls grow: vectors, searched from end to end, and every order tried for deadlocks.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    Waits,
    NoPermits,
    QueueFull,
    TooHeavy,
    Deadlock,
    Evicted,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Grower {
    pub(super) number: u32,
    pub(super) held: u32,
    pub(super) wants: u32,
}

#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) limit: u32,
    pub(super) in_use: u32,
    pub(super) lifo: bool,
    pub(super) max_waiting: usize,
    /// Calls that wait, the next first: number and weight.
    pub(super) queue: Vec<(u32, u32)>,
    /// In the order in which they came.
    pub(super) growers: Vec<Grower>,
}

impl Oracle {
    fn free(&self) -> u32 {
        self.limit.saturating_sub(self.in_use)
    }

    fn is_too_heavy(&self, weight: u32) -> bool {
        self.limit > 0 && weight > self.limit
    }

    /// A call comes. Returns its answer, and the call that has to leave the queue for it.
    pub(super) fn come(&mut self, number: u32, weight: u32, waits: bool) -> (Answer, Option<u32>) {
        if self.is_too_heavy(weight) {
            return (Answer::TooHeavy, None);
        }
        let is_next = self.growers.is_empty() && (self.queue.is_empty() || self.lifo);
        if is_next && weight <= self.free() {
            self.in_use += weight;
            return (Answer::Done, None);
        }
        if !waits {
            return (Answer::NoPermits, None);
        }
        let is_full = self.queue.len() >= self.max_waiting;
        if is_full && !self.lifo {
            return (Answer::QueueFull, None);
        }
        let evicted = if is_full { self.queue.pop() } else { None };
        let position = if self.lifo { 0 } else { self.queue.len() };
        self.queue.insert(position, (number, weight));
        (Answer::Waits, evicted.map(|(number, _)| number))
    }

    /// A holder wants to have `target` permits.
    pub(super) fn resize(&mut self, number: u32, held: u32, target: u32, waits: bool) -> Answer {
        if target <= held {
            self.in_use -= held - target;
            return Answer::Done;
        }
        let more = target - held;
        if self.is_too_heavy(target) {
            return Answer::TooHeavy;
        }
        if more <= self.free() {
            self.in_use += more;
            return Answer::Done;
        }
        if !waits {
            return Answer::NoPermits;
        }
        self.growers.push(Grower { number, held, wants: more });
        if self.stuck().is_empty() {
            return Answer::Waits;
        }
        self.growers.pop();
        Answer::Deadlock
    }

    /// Returns the growers that are served in no order at all, if all other holders are gone.
    fn stuck(&self) -> Vec<u32> {
        if self.limit == 0 {
            return Vec::new();
        }
        let mut served = Vec::new();
        try_all_orders(self.limit, &self.growers, &mut served);
        let numbers = self.growers.iter().map(|grower| grower.number);
        numbers.filter(|number| !served.contains(number)).collect()
    }

    /// Hands out what can be handed out. Returns who is served, in order, and who is refused.
    pub(super) fn serve(&mut self) -> (Vec<u32>, Vec<(u32, Answer)>) {
        let (mut served, mut refused) = (Vec::new(), Vec::new());
        loop {
            let least = self.growers.iter().map(|grower| grower.wants).min();
            if let Some(wants) = least.filter(|&wants| wants <= self.free()) {
                let index = self.growers.iter().position(|grower| grower.wants == wants).unwrap();
                served.push(self.growers.remove(index).number);
                self.in_use += wants;
                continue;
            }
            let is_over = |grower: &Grower| self.is_too_heavy(grower.held + grower.wants);
            if let Some(index) = self.growers.iter().position(is_over) {
                refused.push((self.growers.remove(index).number, Answer::TooHeavy));
                continue;
            }
            if let Some(&last) = self.stuck().last() {
                self.growers.retain(|grower| grower.number != last);
                refused.push((last, Answer::Deadlock));
                continue;
            }
            if !self.growers.is_empty()
                || self.queue.first().is_none_or(|&(_, weight)| weight > self.free())
            {
                return (served, refused);
            }
            let (number, weight) = self.queue.remove(0);
            self.in_use += weight;
            served.push(number);
        }
    }

    /// Returns the calls that are too heavy for the new limit.
    pub(super) fn set_limit(&mut self, limit: u32) -> Vec<(u32, Answer)> {
        self.limit = limit;
        let (stay, go) = self.queue.iter().partition(|&&(_, weight)| limit == 0 || weight <= limit);
        self.queue = stay;
        let go: Vec<(u32, u32)> = go;
        go.into_iter().map(|(number, _)| (number, Answer::TooHeavy)).collect()
    }

    pub(super) fn cancel(&mut self, number: u32) {
        self.queue.retain(|&(waiter, _)| waiter != number);
        self.growers.retain(|grower| grower.number != number);
    }
}

/// Notes all growers that are served in any order in which those before have ended.
fn try_all_orders(limit: u32, left: &[Grower], served: &mut Vec<u32>) {
    let held: u32 = left.iter().map(|grower| grower.held).sum();
    for (index, grower) in left.iter().enumerate() {
        if held + grower.wants <= limit {
            served.push(grower.number);
            let mut rest = left.to_vec();
            rest.remove(index);
            try_all_orders(limit, &rest, served);
        }
    }
}
