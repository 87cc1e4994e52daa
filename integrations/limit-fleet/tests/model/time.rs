//! Time, and what happens in its course.

use super::{
    NEVER, World,
    process::{Call, Stage},
};

impl World {
    /// Moves time, and nothing else.
    pub(crate) fn advance(&mut self, to: u64) {
        for process in &mut self.processes {
            if process.calls.is_empty() {
                continue;
            }
            self.busy[process.key] += (to - self.now) * u64::from(process.leased());
            if self.now < process.closes && process.closes <= to {
                // The lease ends under the calls.
                for call in &mut process.calls {
                    call.lost = true;
                }
            }
        }
        self.now = to;
    }

    /// Runs the world until a moment.
    pub(crate) fn run(&mut self, until: u64) {
        // Plain loops: this runs for each event, also in a build that is not optimised.
        loop {
            let (mut packet, mut due) = (0, NEVER);
            for (index, other) in self.packets.iter().enumerate() {
                if other.due < due {
                    (packet, due) = (index, other.due);
                }
            }
            let mut next = due;
            for process in &self.processes {
                next = next.min(process.next());
            }
            let next = next.max(self.now);
            if next > until {
                self.advance(until);
                return;
            }
            self.advance(next);
            if due <= next {
                self.deliver(packet);
            } else {
                for p in 0..self.processes.len() {
                    if self.processes[p].next() <= next {
                        self.fire(p);
                    }
                }
            }
            self.check();
        }
    }

    pub(crate) fn run_for(&mut self, time: u64) {
        self.run(self.now + time);
    }

    /// Does what is due in a process.
    fn fire(&mut self, p: usize) {
        let mut call = 0;
        while call < self.processes[p].calls.len() {
            let Call { at, stage, .. } = self.processes[p].calls[call];
            if at > self.now {
                call += 1;
                continue;
            }
            match stage {
                Stage::Taken => {
                    self.look(p, call);
                }
                Stage::Running => self.end(p, call),
            }
            self.touch(p);
        }
        if self.processes[p].wake <= self.now {
            self.drive(p);
        }
    }
}
