//! The threads of a process: the one that drives the node, and those of the calls.

use limit_fleet::node::Draft;

use super::{
    Body, NEVER, World,
    process::{Call, Demand, Stage, Step},
};

impl World {
    /// Begins a message.
    pub(crate) fn begin(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let local = process.clock.local(self.now);
        let draft = process.node.begin(local, process.load());
        process.step = Step::Begun(draft);
    }

    /// Lowers the semaphore for the message that was begun.
    pub(crate) fn lower(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let Step::Begun(draft) = std::mem::replace(&mut process.step, Step::Idle) else {
            panic!("p{p} has begun no message")
        };
        process.limit = process.limit.min(draft.lower_to);
        process.step = Step::Lowered(draft);
    }

    /// Makes and sends the message.
    pub(crate) fn send(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let Step::Lowered(draft) = std::mem::replace(&mut process.step, Step::Idle) else {
            panic!("p{p} is not lowered")
        };
        self.send_draft(p, draft);
    }

    fn send_draft(&mut self, p: usize, draft: Draft) {
        let process = &mut self.processes[p];
        let load = process.load();
        let renewal = process.node.message(draft, load);
        process.refused = false;
        process.step = Step::Sent(process.clock.local(self.now) + self.patience);
        process.figures.messages += 1;
        self.post(p, Body::Request(renewal));
    }

    /// Sends a message at once.
    pub(crate) fn speak(&mut self, p: usize) {
        self.begin(p);
        self.lower(p);
        self.send(p);
    }

    /// Gives the share back and ends.
    pub(crate) fn leave(&mut self, p: usize) {
        trace!(self, "p{p} leaves");
        let process = &mut self.processes[p];
        let draft = process.node.leave(process.clock.local(self.now));
        process.limit = process.limit.min(draft.lower_to);
        process.demand = Demand::None;
        process.waiting = 0;
        self.send_draft(p, draft);
    }

    /// Ends a process without a word.
    pub(crate) fn kill(&mut self, p: usize) {
        trace!(self, "p{p} is killed");
        let process = &mut self.processes[p];
        process.alive = false;
        process.calls.clear();
        process.waiting = 0;
        process.wake = NEVER;
        process.demand = Demand::None;
    }

    /// Stops a process with all its threads.
    pub(crate) fn stop(&mut self, p: usize, until: u64) {
        trace!(self, "p{p} is stopped until {until}");
        let process = &mut self.processes[p];
        process.resumes = process.resumes.max(until);
        for call in &mut process.calls {
            call.at = call.at.max(until);
        }
        process.wake = until;
    }

    /// Draws how long a thread is stopped at a step. Mostly it is not.
    fn pause(&mut self) -> u64 {
        if self.pauses > 0 && self.random.between(1, 1000) <= self.pauses {
            self.delay()
        } else {
            0
        }
    }

    /// Lets calls in that wait: each takes a permit first, then looks at the deadline.
    pub(crate) fn admit(&mut self, p: usize) {
        while self.processes[p].waiting > 0
            && self.processes[p].load().running < self.processes[p].limit
        {
            let pause = self.pause();
            let process = &mut self.processes[p];
            process.waiting -= 1;
            process.calls.push(Call { stage: Stage::Taken, at: self.now + pause, lost: false });
            if pause == 0 && !self.look(p, self.processes[p].calls.len() - 1) {
                break;
            }
        }
    }

    /// A call that has a permit looks at the deadline. Returns whether it runs.
    pub(crate) fn look(&mut self, p: usize, call: usize) -> bool {
        let pause = self.pause();
        let process = &mut self.processes[p];
        if !process.is_open(self.now) {
            process.calls.swap_remove(call);
            process.waiting += 1;
            return false;
        }
        let body = self.random.between(process.body.0, process.body.1);
        let call = &mut process.calls[call];
        call.stage = Stage::Running;
        call.at = self.now + pause + body;
        process.figures.started += 1;
        let waited = self.now - process.figures.last_start;
        process.figures.longest_wait = process.figures.longest_wait.max(waited);
        process.figures.last_start = self.now;
        true
    }

    /// Ends a call that runs.
    pub(crate) fn end(&mut self, p: usize, call: usize) {
        self.processes[p].calls.swap_remove(call);
    }

    /// Does all that a process can do now.
    pub(crate) fn drive(&mut self, p: usize) {
        let process = &mut self.processes[p];
        if !process.alive {
            process.wake = NEVER;
            return;
        }
        if process.resumes > self.now {
            process.wake = process.resumes;
            return;
        }
        self.demand(p);
        loop {
            let process = &mut self.processes[p];
            let local = process.clock.local(self.now);
            match process.step {
                Step::Idle | Step::Sent(_) => {
                    process.publish(self.now);
                    self.admit(p);
                }
                Step::Begun(_) | Step::Lowered(_) => {}
            }
            let process = &mut self.processes[p];
            match process.step {
                Step::Idle => match process.node.speaks_at(local, process.load()) {
                    Some(at) if at <= local => self.begin(p),
                    at => {
                        process.wake = at.map_or(NEVER, |at| process.clock.world(at));
                        break;
                    }
                },
                Step::Begun(_) => self.lower(p),
                Step::Lowered(_) => {
                    self.send(p);
                }
                Step::Sent(until) if until <= local => {
                    trace!(self, "p{p} gives up");
                    process.node.give_up(local);
                    process.step = Step::Idle;
                }
                Step::Sent(until) => {
                    process.wake = process.clock.world(until);
                    break;
                }
            }
            let pause = self.pause();
            if pause > 0 {
                trace!(self, "the thread of p{p} is stopped for {pause}");
                self.processes[p].resumes = self.now + pause;
                self.processes[p].wake = self.now + pause;
                break;
            }
        }
        if let Demand::Every { next, .. } = self.processes[p].demand {
            let process = &mut self.processes[p];
            process.wake = process.wake.min(next);
        }
    }

    /// Lets calls come.
    fn demand(&mut self, p: usize) {
        let process = &mut self.processes[p];
        let before = process.waiting;
        match &mut process.demand {
            Demand::None => {}
            Demand::Clients(clients) => {
                let inside = u32::try_from(process.calls.len()).expect("few calls");
                process.waiting = clients.saturating_sub(inside);
            }
            Demand::Every { mean, next } => {
                while *next <= self.now {
                    process.waiting += 1;
                    *next += self.random.between(1, 2 * *mean);
                }
            }
        }
        if before == 0 && process.waiting > 0 {
            process.figures.last_start = self.now;
        }
    }
}
