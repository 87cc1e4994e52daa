//! A lease: the right to let calls in under permits that belong to a fleet, until a deadline.
//!
//! A semaphore is *leased* if its limiter has the scope of a fleet and an agent leases permits for it.
//! Its limit is then the *share* of the process. The agent lowers and raises it. The deadline may pass
//! while the agent does not run, so each call looks at the clock: it takes its permit first, and then
//! looks. If the deadline is over, it gives the permit back, and the lease *lapses*: the limit is 0 until
//! the next grant.
//!
//! # Terms
//!
//! A *term* is the time from a grant to the lapse, over all renewals in between. Terms have odd numbers.
//! The number is even while there is no lease, and 0 before the semaphore is leased at all. A permit
//! remembers the term of its admission. It is valid while that is the present term and the deadline is
//! not over.
//!
//! # Memory ordering
//!
//! A grant stores the deadline before the term (`Release`), and both before the permits, which a call
//! takes with `Acquire`. So a call that takes a granted permit sees the deadline of that grant or a later
//! one, and a call that sees a term sees a deadline of it. A lapse sets the deadline to [`LAPSED`], which
//! is always over: a call that took a permit before and looks after it gives the permit back.

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;
use std::time::Duration;

/// The deadline of what needs no lease, or of permits that are not of the fleet.
const NEVER: u64 = u64::MAX;

/// The deadline while there is no lease. It is always over.
const LAPSED: u64 = 0;

/// The part of a lease that calls read without the lock. It is written under the lock.
#[derive(Debug)]
pub(super) struct LeaseWords {
    /// The end of the lease in microseconds of the boot clock, [`NEVER`] or [`LAPSED`].
    deadline: AtomicU64,
    term: AtomicU32,
    /// The clock of a model, in microseconds.
    #[cfg(limit_loom)]
    pub(super) clock: AtomicU64,
}

/// The part of a lease that the lock guards.
#[derive(Debug, Default)]
pub(super) struct Lease {
    /// The agent has been told of something, and has not looked since.
    pub(super) told: bool,
    /// A call was refused since the agent looked, because no permit was free.
    pub(super) refused: bool,
    /// Calls that would wait are refused while the share is 0.
    pub(super) unavailable: bool,
    token: Option<u64>,
    /// Those who wait until the lease is lost, by number.
    watchers: BTreeMap<u64, Waker>,
    watchers_seen: u64,
}

/// The leases of a semaphore.
#[derive(Debug)]
pub(super) struct Leasing {
    /// Tells the agent that there is something to look at.
    pub(super) agent: Waker,
    /// The lease of the limiter as a whole.
    pub(super) whole: Lease,
}

/// What an agent finds when it looks at a lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The permits that are out, with or without a lease.
    pub running: u32,
    /// The calls that wait.
    pub waiting: u32,
    /// Whether a call was refused since the last look, because no permit was free.
    pub refused: bool,
}

/// The leases of a semaphore, if its permits are a fleet's.
pub(super) type Leases = Option<Box<Leasing>>;

/// The number of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term(u32);

impl Term {
    /// The term of what was never leased.
    pub(super) const NONE: Self = Self(0);

    /// Returns whether it is the time of a lease, not the time between two.
    pub(super) fn is_leased(self) -> bool {
        self.0 % 2 == 1
    }

    pub(super) fn older(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// Returns the term that follows, which is not [`NONE`](Self::NONE).
    fn next(self) -> Self {
        let next = self.0.wrapping_add(1);
        Self(if next == 0 { 2 } else { next })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(NEVER).min(NEVER - 1)
}

impl LeaseWords {
    pub(super) fn new() -> Self {
        Self {
            deadline: AtomicU64::new(NEVER),
            term: AtomicU32::new(0),
            #[cfg(limit_loom)]
            clock: AtomicU64::new(1),
        }
    }

    /// Returns the number of the present term.
    #[inline]
    pub(super) fn term(&self) -> Term {
        // Pairs with `set_term`: the deadline is not older than the term.
        Term(self.term.load(Ordering::Acquire))
    }

    /// Returns whether the deadline is over.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        // Relaxed: whoever took a granted permit sees the grant's deadline through the permit.
        let deadline = self.deadline.load(Ordering::Relaxed);
        deadline != NEVER && self.now() >= deadline
    }

    /// Returns whether a permit of a term is covered by the lease at this moment, or needs none.
    pub(super) fn is_valid(&self, term: Term) -> bool {
        self.term() == term && (term == Term::NONE || term.is_leased() && !self.is_over())
    }

    fn set_term(&self, term: Term) {
        // Pairs with the load of a call, which then sees the deadline that was stored before.
        self.term.store(term.0, Ordering::Release);
    }

    #[cfg(not(limit_loom))]
    #[expect(clippy::unused_self, reason = "a model's clock is in it")]
    fn now(&self) -> u64 {
        micros(crate::boot_clock::since_boot())
    }

    #[cfg(limit_loom)]
    fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Sets the end of the lease. Begins a term if there is none.
    pub(super) fn grant(&self, deadline: Duration) {
        self.deadline.store(micros(deadline), Ordering::Relaxed);
        let term = self.term();
        if !term.is_leased() {
            self.set_term(term.next());
        }
    }

    /// Ends the lease, if there is one.
    pub(super) fn lapse(&self) {
        let term = self.term();
        if term.is_leased() {
            self.set_term(term.next());
        } else if term == Term::NONE {
            self.set_term(term.next().next());
        }
        self.deadline.store(LAPSED, Ordering::Relaxed);
    }

    /// Lets calls in without a lease.
    pub(super) fn allow(&self) {
        self.deadline.store(NEVER, Ordering::Relaxed);
    }

    /// Makes it the words of what was never leased.
    pub(super) fn reset(&self) {
        self.set_term(Term::NONE);
        self.allow();
    }
}

impl Lease {
    /// Notes that the agent has looked. Returns whether a call was refused since it looked before.
    pub(super) fn looked_at(&mut self) -> bool {
        self.told = false;
        mem::take(&mut self.refused)
    }

    pub(super) fn set_token(&mut self, token: Option<u64>) {
        self.token = token;
    }

    pub(super) fn token(&self) -> Option<u64> {
        self.token
    }

    /// Keeps a waker until the lease is lost. Returns the one that the watcher had before.
    pub(super) fn watch(&mut self, watcher: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let number = *watcher.get_or_insert_with(|| {
            self.watchers_seen += 1;
            self.watchers_seen
        });
        self.watchers.insert(number, waker)
    }

    pub(super) fn forget_watcher(&mut self, watcher: u64) -> Option<Waker> {
        self.watchers.remove(&watcher)
    }

    /// Takes the wakers of all who wait until the lease is lost.
    pub(super) fn take_watchers(&mut self) -> impl Iterator<Item = Waker> + use<> {
        mem::take(&mut self.watchers).into_values()
    }
}

impl Leasing {
    pub(super) fn new(agent: Waker) -> Self {
        Self { agent, whole: Lease::default() }
    }
}
