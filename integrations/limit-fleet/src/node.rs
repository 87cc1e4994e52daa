//! A node: how one process leases its share of a ledger's permits.
//!
//! The node is a state machine without a clock, a thread or a connection. Its driver passes the time
//! and the load, and carries the messages. One turn of the driver's loop is:
//!
//! 1. It limits the process to [`Node::allowance`].
//! 2. It asks [`Node::speaks_at`]. It sleeps until then, or until a call, an answer or a push changes
//!    something, and begins again.
//! 3. When the moment is there, it calls [`Node::begin`], lowers the process's limit to
//!    [`Draft::lower_to`], *then* reads the load, and sends [`Node::message`]. It sends it once: a
//!    client library that retries would send it with a start that is not its own.
//! 4. It passes the answer to [`Node::answer`], or tells that there is none with [`Node::give_up`].
//!
//! A share ends by itself: the process looks at the deadline after it has taken a permit, and gives
//! the permit back if the deadline is over. So a driver that is stopped anywhere lets nobody in.
//! Where the driver raises the limit and moves the deadline, it writes the limit first: an old limit
//! must not meet a new deadline.
//!
//! All times are microseconds of one clock that also counts while the machine is suspended.

mod backoff;
mod demand;
mod figures;
mod identity;
mod load;
mod timing;

pub use figures::Figures;
pub use load::Load;

use crate::message::{Answer, NodeId, Push, Renewal, Times, Verdict};
use backoff::Backoff;

/// The permits that a process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// A call is let in while fewer calls than this run.
    pub permits: u32,
    /// From this moment on no call is let in, and the calls that run have lost their lease.
    pub deadline: u64,
    /// The fencing token of the calls that are let in. There is one only where the limit is 1: with
    /// more permits two valid holders have different tokens.
    pub token: Option<u64>,
}

/// A message that is begun, and is made after the process has lowered its limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "the node waits for the answer to this message"]
pub struct Draft {
    /// The limit to which the process lowers itself before it reads the load for the message.
    pub lower_to: u32,
}

/// One process's lease of a share. The [module](self) says how to drive it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    id: NodeId,
    times: Times,
    /// The time after which a lease is renewed.
    refresh: u64,
    /// The time by which the node ends a lease before the ledger does.
    margin: u64,
    /// The process's own opinion of the limit.
    limit: u32,
    seq: u64,
    /// The message under way.
    attempt: Option<Attempt>,
    /// `true` if the last message was answered. Only then does a push belong to it.
    heard: bool,
    /// The start of the last message.
    started: Option<u64>,
    /// Until then the ledger may have something recorded.
    owed_until: u64,
    share: u32,
    deadline: u64,
    /// The share that the node keeps while others queue.
    target: u32,
    /// Until then one permit above the target stays while calls wait for it.
    quantum_end: u64,
    token: u64,
    told: Told,
    /// Until then a call that was refused counts as wanted: it may come again. Without that the node
    /// would ask and give back with each such call, and never get its turn.
    sought_until: u64,
    /// `true` if the ledger has asked the node to speak.
    asked: bool,
    left: bool,
    backoff: Backoff,
    other_times: Option<Times>,
}

/// A message under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Attempt {
    start: u64,
    claim: u32,
    load: Load,
    want: u32,
    limit: u32,
    /// A push for this message that has overtaken its answer.
    early: Option<Push>,
}

/// The last exchange of node and ledger that counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Told {
    want: u32,
    load: Load,
    claim: u32,
    own_limit: u32,
    queued: u32,
    nodes: u32,
    learning: bool,
    limit: u32,
    in_use: u32,
    most: u32,
}

impl Node {
    /// Creates a node that has never spoken, with the process's opinion of the limit.
    #[must_use]
    pub fn new(id: NodeId, times: Times, limit: u32) -> Self {
        let backoff = Backoff::new(&id);
        Self {
            id,
            times,
            refresh: times.ttl / 3,
            margin: times.margin(),
            limit,
            seq: 0,
            attempt: None,
            heard: false,
            started: None,
            owed_until: 0,
            share: 0,
            deadline: 0,
            target: 0,
            quantum_end: 0,
            token: 0,
            told: Told::default(),
            sought_until: 0,
            asked: false,
            left: false,
            backoff,
            other_times: None,
        }
    }

    /// Sets the time after which a lease is renewed: a third of the lease by default.
    #[must_use]
    pub fn with_refresh(self, refresh: u64) -> Self {
        Self { refresh, ..self }
    }

    /// Sets the time by which the node ends a lease before the ledger does. A time below the default
    /// ([`Times::margin`]) counts as the default.
    #[must_use]
    pub fn with_margin(self, margin: u64) -> Self {
        Self { margin: margin.max(self.times.margin()), ..self }
    }

    /// Returns the identity that the next message carries.
    #[must_use]
    pub fn id(&self) -> &NodeId {
        &self.id
    }

    /// Returns whether a message is under way, so that the node does not speak.
    #[must_use]
    pub fn awaits_answer(&self) -> bool {
        self.attempt.is_some()
    }

    /// Returns whether the node was told to leave.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// Sets the process's opinion of the limit. The smallest opinion of the nodes is in force.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Returns what the process may let in from `now` on.
    ///
    /// The permits can shrink with time, at the moments that [`Node::speaks_at`] returns.
    #[must_use]
    pub fn allowance(&self, now: u64) -> Allowance {
        let mut permits = self.share(now);
        if self.contended() {
            permits = permits.min(self.turn(now));
        }
        let token = (self.told.limit == 1).then_some(self.token);
        Allowance { permits, deadline: self.deadline, token }
    }

    /// Begins a message: notes its start, and lowers the share to what the process keeps.
    ///
    /// A message that is under way counts as unanswered from here on.
    pub fn begin(&mut self, now: u64, load: Load) -> Draft {
        let keep = self.keep(now, load);
        self.lower(now, keep)
    }

    /// Begins the message that gives the share back. The node lets nobody in from here on, and speaks
    /// only until the calls that run have ended.
    pub fn leave(&mut self, now: u64) -> Draft {
        self.left = true;
        self.lower(now, 0)
    }

    fn lower(&mut self, now: u64, keep: u32) -> Draft {
        // From here on the share grows only by the answer, or by a push that follows it. A push for
        // an earlier message would raise the share above the claim that this message makes.
        self.share = keep;
        self.heard = false;
        self.asked = false;
        self.seq += 1;
        self.started = Some(now);
        self.attempt = Some(Attempt {
            start: now,
            claim: keep,
            load: Load::default(),
            want: 0,
            limit: self.limit,
            early: None,
        });
        Draft { lower_to: self.allowance(now).permits }
    }

    /// Makes the message of a draft, with the load that was read after the process was lowered.
    ///
    /// It takes the draft, because each draft makes one message.
    pub fn message(&mut self, _draft: Draft, load: Load) -> Renewal {
        let start = self.started.unwrap_or_default();
        if load.refused {
            self.sought_until = start.saturating_add(self.refresh());
        }
        let want = self.want(start, load);
        if let Some(attempt) = &mut self.attempt {
            attempt.load = load;
            attempt.want = want;
        }
        if self.share > 0 || want > 0 || load.running > 0 {
            // Not by a message that gives back: while the ledger cannot be reached, a node that is idle would try for
            // ever.
            self.owed_until = start.saturating_add(self.times.term());
        }
        Renewal {
            node: self.id.clone(),
            seq: self.seq,
            claim: self.share,
            running: load.running,
            want,
            limit: self.limit,
            token: self.token,
        }
    }

    /// Takes an answer. Returns whether it counted.
    ///
    /// It counts if it answers the message under way, was accepted, and came before the deadline of
    /// the lease that the message claimed. After that deadline the ledger may have given the share
    /// away, and a ledger that learns believes an old claim.
    pub fn answer(&mut self, now: u64, answer: &Answer) -> bool {
        if answer.seq != self.seq {
            return false;
        }
        let Some(attempt) = self.attempt.take() else { return false };
        match answer.verdict {
            Verdict::Accepted => {}
            Verdict::Refused => {
                // Another process speaks with this identity: a copy of this one.
                self.share = 0;
                self.id = identity::renew(&self.id, now);
                self.backoff.fail(now, self.times);
                return false;
            }
            Verdict::OtherTimes(times) => {
                self.other_times = Some(times);
                self.backoff.fail(now, self.times);
                return false;
            }
        }
        self.backoff.reset();
        self.other_times = None;
        if attempt.claim > 0 && now >= self.deadline {
            self.share = 0;
            return false;
        }
        self.hear(now, &attempt, answer);
        if let Some(push) = attempt.early {
            self.push(now, &push);
        }
        true
    }

    fn hear(&mut self, now: u64, attempt: &Attempt, answer: &Answer) {
        self.heard = true;
        self.deadline = attempt.start + self.lease();
        self.share = answer.share;
        self.token = answer.token.max(self.token);
        let granted = answer.share > attempt.claim;
        self.told = Told {
            want: attempt.want,
            load: attempt.load,
            claim: attempt.claim,
            own_limit: attempt.limit,
            queued: answer.queued,
            nodes: answer.nodes,
            learning: answer.learning,
            limit: answer.limit,
            in_use: answer.in_use,
            most: answer.most,
        };
        self.target = answer.target;
        if granted && self.contended() && self.share > self.target {
            self.take_turn(now);
        }
    }

    /// Tells that the message under way has no answer: an error, or a time-out.
    pub fn give_up(&mut self, now: u64) {
        if self.attempt.take().is_some() {
            self.backoff.fail(now, self.times);
        }
    }

    /// Takes a push. Returns whether it raised the share or asks the node to speak.
    ///
    /// A push belongs to one message, and counts while that message is the last and is answered. A
    /// later message may have given the share back. A push never moves the deadline.
    pub fn push(&mut self, now: u64, push: &Push) -> bool {
        if push.node != self.id || push.seq != self.seq || self.left {
            return false;
        }
        if let Some(attempt) = &mut self.attempt {
            // The push came on a way of its own, before the answer. It waits for it.
            if attempt.early.as_ref().is_none_or(|early| early.share < push.share) {
                attempt.early = Some(push.clone());
            }
            return false;
        }
        if !self.heard || now >= self.deadline {
            return false;
        }
        match push.share {
            None => self.asked = true,
            Some(share) if share > self.share => {
                self.share = share;
                // The target is that of the last answer, and may be too large by now: a push says that nodes
                // queue. If the permit is a part of the fair share, the next answer says so.
                self.take_turn(now);
                self.token = self.token.max(push.token);
            }
            Some(_) => return false,
        }
        true
    }

    /// Keeps the last permit of the share, above the target, for a quantum.
    fn take_turn(&mut self, now: u64) {
        // The level may have risen since the target was told. The ledger grants the level and 1 at most.
        self.target = self.share - 1;
        self.quantum_end = now + Times::QUANTUM;
    }

    /// Returns the time for which an answer leases a share.
    fn lease(&self) -> u64 {
        self.times.ttl.saturating_sub(self.margin)
    }

    /// Returns the share, which is 0 when its lease is over.
    #[must_use]
    pub fn share(&self, now: u64) -> u32 {
        if now < self.deadline && !self.left { self.share.min(self.limit) } else { 0 }
    }
}
