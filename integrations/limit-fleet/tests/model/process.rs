//! One process: a semaphore for its calls, a node, and the thread that drives it.

use limit_fleet::{
    message::{NodeId, Times},
    node::{Draft, Load, Node},
};

/// A clock that does not run like the world's.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Clock {
    pub(crate) offset: u64,
    /// 1,000 is the world's rate.
    pub(crate) rate: u64,
}

impl Clock {
    pub(crate) fn local(self, now: u64) -> u64 {
        self.offset + now * self.rate / 1000
    }

    /// Returns the first moment of the world at which this clock shows `local`.
    pub(crate) fn world(self, local: u64) -> u64 {
        (local.saturating_sub(self.offset)).saturating_mul(1000).div_ceil(self.rate)
    }
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Has the permit.
    Taken,
    /// Has looked at the deadline, and runs.
    Running,
}

#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Call {
    pub(crate) stage: Stage,
    /// When the next stage comes.
    pub(crate) at: u64,
    /// `true` if its lease ended while it ran.
    pub(crate) lost: bool,
}

/// Where the thread is that drives the node.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Step {
    Idle,
    Begun(Draft),
    Lowered(Draft),
    /// A message is under way. The thread gives it up at this moment of its clock.
    Sent(u64),
}

/// Where calls come from.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) enum Demand {
    /// From the test.
    None,
    /// From clients that call again at once.
    Clients(u32),
    /// One after another, with a mean time between them, from this moment on.
    Every { mean: u64, next: u64 },
}

#[derive(Clone, Debug, Hash)]
pub(crate) struct Process {
    pub(crate) key: usize,
    pub(crate) node: Node,
    pub(crate) clock: Clock,
    /// The semaphore's limit, and the deadline beside it.
    pub(crate) limit: u32,
    pub(crate) deadline: u64,
    /// The deadline in the world's time.
    pub(crate) closes: u64,
    pub(crate) calls: Vec<Call>,
    pub(crate) waiting: u32,
    pub(crate) refused: bool,
    pub(crate) demand: Demand,
    /// The shortest and the longest body.
    pub(crate) body: (u64, u64),
    pub(crate) step: Step,
    /// The thread is stopped until then.
    pub(crate) resumes: u64,
    pub(crate) alive: bool,
    /// When the thread looks again.
    pub(crate) wake: u64,
    pub(crate) figures: Counts,
}

/// The work of a process.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub(crate) struct Counts {
    pub(crate) messages: u64,
    pub(crate) started: u64,
    pub(crate) busy: u64,
    pub(crate) last_start: u64,
    /// The longest time without a start while calls waited.
    pub(crate) longest_wait: u64,
}

impl Process {
    pub(crate) fn new(key: usize, id: NodeId, times: Times, limit: u32, clock: Clock) -> Self {
        Self {
            key,
            node: Node::new(id, times, limit),
            clock,
            limit: 0,
            deadline: 0,
            closes: 0,
            calls: Vec::new(),
            waiting: 0,
            refused: false,
            demand: Demand::None,
            body: (10_000, 10_000),
            step: Step::Idle,
            resumes: 0,
            alive: true,
            wake: 0,
            figures: Counts::default(),
        }
    }

    pub(crate) fn load(&self) -> Load {
        Load {
            running: u32::try_from(self.calls.len()).expect("few calls"),
            waiting: self.waiting,
            refused: self.refused,
        }
    }

    /// Returns the share that the node may use now.
    pub(crate) fn valid_share(&self, now: u64) -> u32 {
        if self.alive { self.node.share(self.clock.local(now)) } else { 0 }
    }

    /// Returns when the next thing happens in the process.
    pub(crate) fn next(&self) -> u64 {
        let mut next = self.wake;
        for call in &self.calls {
            if call.at < next {
                next = call.at;
            }
        }
        next
    }

    /// Returns how many calls run with a lease.
    pub(crate) fn leased(&self) -> u32 {
        let mut leased = 0;
        for call in &self.calls {
            if !call.lost && matches!(call.stage, Stage::Running) {
                leased += 1;
            }
        }
        leased
    }

    /// Writes the node's allowance to the semaphore.
    pub(crate) fn publish(&mut self, now: u64) {
        let allowance = self.node.allowance(self.clock.local(now));
        self.limit = allowance.permits;
        if self.deadline != allowance.deadline {
            self.deadline = allowance.deadline;
            self.closes = self.clock.world(self.deadline);
        }
    }

    pub(crate) fn is_open(&self, now: u64) -> bool {
        self.clock.local(now) < self.deadline
    }
}
