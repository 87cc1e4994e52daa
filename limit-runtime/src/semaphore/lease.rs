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
//! # Keys
//!
//! With keys there is a lease for each key, and one for the total over all keys if there is a total. A
//! call needs both. The lease of a key begins when a call of the key finds no permit free. The key is
//! not forgotten while it has a lease, so the agent releases the lease of an idle key. The leases of
//! keys are under the lock with all that belongs to keys.
//!
//! # Memory ordering
//!
//! A grant stores the deadline before the term (`Release`), and both before the permits, which a call
//! takes with `Acquire`. So a call that takes a granted permit sees the deadline of that grant or a later
//! one, and a call that sees a term sees a deadline of it. A lapse sets the deadline to [`LAPSED`], which
//! is always over: a call that took a permit before and looks after it gives the permit back.

use super::wake_list::WakeList;
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use std::collections::{BTreeMap, BTreeSet};
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
    /// 1 if there is a lease for each key. The words of a key do not use it.
    is_keyed: AtomicU32,
    /// The clock of a model, in microseconds.
    #[cfg(limit_loom)]
    pub(super) clock: AtomicU64,
}

/// The part of a lease that the lock guards.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent, and no states of one thing"
)]
pub(super) struct Lease {
    /// The agent has been told of something, and has not looked since.
    pub(super) told: bool,
    /// A call was refused since the agent looked, because no permit was free.
    pub(super) refused: bool,
    /// Calls that would wait are refused while the share is 0.
    pub(super) unavailable: bool,
    /// Permits may be out that were handed to calls before the last lapse, and that no share has covered since.
    /// Their calls are not let in yet.
    pub(super) strays: bool,
    /// The fencing token of the last grant.
    pub(super) token: Option<u64>,
    /// Those who wait until the lease is lost, by number.
    watchers: BTreeMap<u64, Waker>,
    watchers_seen: u64,
}

/// The leases of a semaphore.
#[derive(Debug)]
pub(super) struct Leasing {
    /// Tells the agent that there is something to look at.
    pub(super) agent: Waker,
    /// `true` if there is an agent. Without one, nobody would release the leases of keys.
    pub(super) has_agent: bool,
    /// The lease of the limiter as a whole. With keys, that of the total.
    pub(super) whole: Lease,
    /// `true` if there is such a lease.
    pub(super) is_whole_leased: bool,
    /// The keys with a lease.
    pub(super) keys: BTreeSet<u32>,
    /// Those of them of which the agent has been told and has not looked since.
    pub(super) keys_told: BTreeSet<u32>,
}

/// What is known when a semaphore begins to be leased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeasingStart {
    /// `true` if there is a lease of the limiter as a whole: without keys, and with a total over them.
    pub(crate) has_whole: bool,
    /// `true` if there is an agent.
    pub(crate) has_agent: bool,
    /// `true` if calls are refused while the share is 0.
    pub(crate) unavailable: bool,
}

/// The lease of a key.
#[derive(Debug)]
pub(super) struct KeyLease {
    pub(super) words: LeaseWords,
    pub(super) lease: Lease,
    pub(super) share: u32,
}

impl KeyLease {
    /// Makes the lease of a key, without a share.
    pub(super) fn new(unavailable: bool) -> Self {
        let words = LeaseWords::new();
        words.lapse();
        Self { words, lease: Lease { unavailable, ..Lease::default() }, share: 0 }
    }
}

/// The terms in which a call was admitted: of the limiter as a whole, and of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) whole: Term,
    pub(super) key: Term,
}

impl Terms {
    pub(super) const NONE: Self = Self::of_whole(Term::NONE);

    pub(super) const fn of_whole(whole: Term) -> Self {
        Self { whole, key: Term::NONE }
    }

    /// Returns whether the call was admitted under a lease.
    pub(super) fn are_leased(self) -> bool {
        self.whole.is_leased() || self.key.is_leased()
    }

    /// Returns the terms of all permits of two calls.
    pub(super) fn oldest(self, other: Self) -> Self {
        let older = |one: Term, other: Term| Term(one.0.min(other.0));
        Self { whole: older(self.whole, other.whole), key: older(self.key, other.key) }
    }
}

/// What an agent finds when it looks at a lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The permits that are out, with or without a lease.
    pub running: u32,
    /// The calls that wait.
    pub waiting: u32,
    /// `true` if a call was refused since the last look, because no permit was free.
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
            is_keyed: AtomicU32::new(0),
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

    /// Returns whether there is a term whose deadline is over.
    pub(super) fn has_ended(&self) -> bool {
        self.term().is_leased() && self.is_over()
    }

    /// Returns whether there is a lease for each key.
    pub(super) fn is_keyed(&self) -> bool {
        // Relaxed: a call that sees a term has seen it in order, and the lock's holder too.
        self.is_keyed.load(Ordering::Relaxed) == 1
    }

    /// Notes that there is a lease for each key. Without a total over all keys, nothing else is leased.
    pub(super) fn begin_keys(&self, has_total: bool) {
        self.is_keyed.store(1, Ordering::Relaxed);
        if !has_total && self.term() == Term::NONE {
            self.set_term(Term::NONE.next().next());
        }
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
        self.is_keyed.store(0, Ordering::Relaxed);
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

    /// Keeps a waker until the lease is lost. Returns the watcher's number, which is a new one without
    /// one, and the waker that it had before.
    pub(super) fn watch(&mut self, watcher: Option<u64>, waker: Waker) -> (u64, Option<Waker>) {
        let number = watcher.unwrap_or_else(|| {
            self.watchers_seen += 1;
            self.watchers_seen
        });
        (number, self.watchers.insert(number, waker))
    }

    pub(super) fn forget_watcher(&mut self, watcher: u64) -> Option<Waker> {
        self.watchers.remove(&watcher)
    }

    /// Ends the lease.
    pub(super) fn end(&mut self, wakers: &mut WakeList) {
        self.token = None;
        self.strays = true;
        self.wake_watchers(wakers);
    }

    /// Wakes all who wait until the lease is lost.
    pub(super) fn wake_watchers(&mut self, wakers: &mut WakeList) {
        for waker in mem::take(&mut self.watchers).into_values() {
            wakers.push(Some(waker));
        }
    }
}

impl Leasing {
    pub(super) fn new(agent: Waker) -> Self {
        Self {
            agent,
            has_agent: true,
            whole: Lease::default(),
            is_whole_leased: false,
            keys: BTreeSet::new(),
            keys_told: BTreeSet::new(),
        }
    }

    /// Tells the agent that a setting was changed, which concerns all leases.
    pub(super) fn tell_of_setting(&mut self, wakers: &mut WakeList) {
        self.whole.told = self.is_whole_leased;
        self.keys_told.clone_from(&self.keys);
        wakers.push(Some(self.agent.clone()));
    }
}
