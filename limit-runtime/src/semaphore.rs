//! The permits of one limiter in one scope: one atomic word, and a queue behind a lock.
//!
//! # Implementation details
//!
//! ```text
//! 63                32   31   30                0
//! | acquired (u32)  | SLOW |  available (u31)    |
//! ```
//!
//! While nothing out of the ordinary is going on, the word is all there is. A call takes its
//! permits by one compare-exchange, which takes `weight` from `available` and adds one to
//! `acquired`, so that the number of admitted calls costs nothing. A permit comes back by one
//! `fetch_add`.
//!
//! Whatever is out of the ordinary sets SLOW: somebody waits, the limit was lowered below what is
//! out (debt), the semaphore is not bound to a limit yet, or there is something *special*: it is
//! closed, somebody listens or waits for it to drain, or its policy has keys, a rate or is a shadow.
//! So whoever uses none of these pays for none. Then both paths go to the lock, and
//! only the lock's holder takes from `available`, so nobody barges past the queue. SLOW is set and
//! cleared under the lock only. While it is set, permits that come back do not touch the word at
//! all: they go to the `bank` under the lock and from there straight to the head of the queue.
//!
//! A semaphore knows nothing of limiters or names, and of runtimes only on which of them waiters want
//! the clock watched (see `rate`). It is *bound* to a limit on first use,
//! and unbound again when its registry passes to the next runtime or its limiter is dropped; it is
//! never freed, so a permit is a plain reference and needs no count of references.
//!
//! # Memory ordering
//!
//! * A permit given back through the word (`fetch_add`, `Release`) is taken through the word
//!   (compare-exchange, `Acquire`): what the former holder did happens before what the next one
//!   does. In between only read-modify-writes touch the word, which continue the release sequence.
//! * Through the queue the same edge is made by the lock, and by the grant's `Release` store and
//!   `Acquire` load.
//! * A release that loads the word, sees SLOW clear and then adds, may be overtaken by a waiter who
//!   sets SLOW. Both are read-modify-writes of one word, so one comes first: if the add, the waiter
//!   finds the permit when it looks again after setting SLOW; if the waiter, the add returns SLOW
//!   and the releaser takes the lock and serves the queue. No wake-up is lost either way.
//! * The word's load before the compare-exchange is `Acquire` because the caller's check that the
//!   semaphore is still its own (`still_ours`) must come after it. Unbinding changes the owner's
//!   mark first and the word second, and always changes the word (it adds one to `acquired`). A
//!   compare-exchange that succeeds therefore took its permits before the word was changed: the
//!   unbinding sees them out and gives up.

mod control;
mod keys;
mod line;
mod moment;
mod queue;
mod rate;
mod returns;
mod shadow;
mod slab;
mod slots;
mod special;
mod state;
mod waiter;
mod waiting;
mod wakers;

#[cfg(all(test, limit_loom))]
mod loom_tests;

use crate::events::Event;
use crate::metrics::{KeyReading, Reading};
use crate::policy::Request;
use crate::rejected::Refusal;
use crate::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, lock};
use crate::unwind::quietly;
pub(crate) use control::Claim;
pub(crate) use keys::{Hashed, KeySource};
pub(crate) use rate::Tick;
pub(crate) use slots::NO_SLOT;
pub(crate) use special::Aside;
use state::{Decided, Joins, State};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;
use tokio::sync::broadcast::Sender;
pub(crate) use waiter::{Held, Standing, Waiter, WaitsFor};
pub(crate) use wakers::Wakers;

const SLOW: u64 = 1 << 31;
const AVAILABLE: u64 = SLOW - 1;
const ONE_ACQUIRED: u64 = 1 << 32;

/// See the module's documentation. Aligned so that two semaphores never share a cache line, nor a
/// pair that is fetched together.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Semaphore {
    word: AtomicU64,
    state: Mutex<State>,
    /// How often `acquired` has wrapped.
    wraps: AtomicU32,
    /// The limit, while there is one and nothing special: a call for no more than this that finds the
    /// word slow then nearly always queues. 0 otherwise. Only a hint, so that such a call brings its
    /// waker along to the lock, and no other clones it for nothing.
    queues_up_to: AtomicU32,
}

/// Where to tell what happens.
type Listeners = Sender<Event>;

/// What became of a call that took the slow path.
#[derive(Debug)]
pub(crate) enum Entered {
    /// It has its permits.
    Admitted(Held),
    /// It waits.
    Queued(Waiter),
    /// It is not let in.
    Refused(Refusal),
    /// The semaphore has no limit yet: it is for the caller to find it out and to call
    /// [`Semaphore::bind`].
    Unbound,
    /// `still_ours` was false: the semaphore belongs to another runtime now.
    Stale,
}

impl Semaphore {
    /// A semaphore that is not bound to a limit.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(SLOW),
            wraps: AtomicU32::new(0),
            queues_up_to: AtomicU32::new(0),
            state: Mutex::new(State::new()),
        }
    }

    /// A number that no other semaphore has: semaphores are never freed.
    #[inline]
    pub(crate) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The fast path: takes `weight` permits if nothing is out of the ordinary.
    ///
    /// `still_ours` says whether the semaphore still belongs to the runtime that the caller looked
    /// it up for. See *Memory ordering* for why it is asked between the load and the exchange.
    #[inline]
    pub(crate) fn try_acquire(&self, weight: u32, still_ours: impl Fn() -> bool) -> bool {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            if word & SLOW != 0 || word & AVAILABLE < u64::from(weight) || !still_ours() {
                return false;
            }
            let taken = word.wrapping_add(ONE_ACQUIRED) - u64::from(weight);
            match self.word.compare_exchange_weak(word, taken, Ordering::Acquire, Ordering::Acquire)
            {
                Ok(_) => {
                    if taken < ONE_ACQUIRED {
                        self.wraps.fetch_add(1, Ordering::Release);
                    }
                    return true;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Gives `weight` permits back, and the slot of a call that had waited ([`NO_SLOT`] else).
    #[inline]
    pub(crate) fn release(&self, weight: u32, slot: u32) {
        if slot == NO_SLOT && self.word.load(Ordering::Relaxed) & SLOW == 0 {
            let before = self.word.fetch_add(u64::from(weight), Ordering::Release);
            if before & SLOW == 0 {
                return;
            }
            self.release_slow(0, NO_SLOT);
        } else {
            self.release_slow(weight, slot);
        }
    }

    // Not `cold`, nor is `enter`: under load every call comes here.
    #[inline(never)]
    fn release_slow(&self, weight: u32, slot: u32) {
        let mut state = self.lock();
        state.release(&self.word, weight, slot);
        self.serve(state);
    }

    /// The slow path in: takes the permits, or joins the queue if there is a waker to join with, or
    /// says why neither.
    #[inline(never)]
    pub(crate) fn enter(
        &'static self,
        ask: Request,
        key: Option<&dyn KeySource>,
        waker: Option<&Waker>,
        still_ours: impl Fn() -> bool,
    ) -> Entered {
        let mut joins = Joins { may_wait: waker.is_some(), waker: None };
        // A waker is foreign code: it is cloned before locking, and only for a call that waits. One
        // that will in all likelihood does not ask the lock first.
        if key.is_none() && self.would_queue(ask) {
            joins.waker = waker.cloned();
        }
        loop {
            // Declared before the lock is taken, because what is in it is woken after unlocking.
            let mut wakers = Wakers::default();
            let mut state = self.lock();
            if !still_ours() {
                return Entered::Stale;
            }
            if !state.is_bound() {
                return Entered::Unbound;
            }
            let mut decide = || state.enter(&self.word, ask, key, &mut joins, &mut wakers);
            let decided = if key.is_none() {
                decide()
            } else {
                // The key's own code runs, and may panic: after permits that had cooled were taken back,
                // which are to be handed out all the same.
                match catch_unwind(AssertUnwindSafe(decide)) {
                    Ok(decided) => decided,
                    Err(panic) => {
                        quietly(|| self.serve_with(state, wakers));
                        resume_unwind(panic);
                    }
                }
            };
            let has_left_something = state.has_left_something(&decided);
            // Owned from here on, so that it is not lost if somebody who is woken panics.
            let entered = match decided {
                Decided::Admitted { weight, slot } => {
                    Entered::Admitted(Held { semaphore: self, weight, slot })
                }
                Decided::Queued { slot, weight, waits_for, grant } => {
                    Entered::Queued(Waiter { semaphore: self, grant, slot, weight, waits_for })
                }
                Decided::Refused(refusal) => Entered::Refused(refusal),
                Decided::NeedsWaker => {
                    self.hint_at_queue(&state);
                    // Also if the clone panics. What has cooled is served, and SLOW cleared.
                    self.serve_with(state, wakers);
                    joins.waker = waker.cloned();
                    continue;
                }
            };
            if has_left_something {
                self.serve_with(state, wakers);
            } else {
                unlock(state, wakers);
            }
            return entered;
        }
    }

    /// Whether a call that comes to the lock nearly always queues there.
    fn would_queue(&self, ask: Request) -> bool {
        let (weight, word) = (ask.permits(), self.word.load(Ordering::Relaxed));
        let is_free = word & SLOW == 0 && word & AVAILABLE >= u64::from(weight);
        weight > 0 && !is_free && weight <= self.queues_up_to.load(Ordering::Relaxed)
    }

    /// To be called when there is, or may be, something special from now on, or another limit.
    fn hint_at_queue(&self, state: &State) {
        self.queues_up_to.store(state.queues_up_to(), Ordering::Relaxed);
    }

    /// How many permits are out and how many calls wait.
    pub(crate) fn busy(&self) -> usize {
        let reading = self.read(&mut Vec::new());
        reading.usage.in_use + reading.usage.waiting
    }

    /// Serves whoever can be served.
    pub(crate) fn serve_all(&self) {
        self.serve(self.lock());
    }

    /// Whether no permit is out and nobody waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().is_idle(&self.word)
    }

    /// Unbinds, if no permit is out and nobody waits; says whether it did. The caller must have
    /// changed what `still_ours` looks at before, or know that there are no callers any more.
    ///
    /// Figures are kept as those of the past, or with `forget`, dropped. What is left is dropped when
    /// no lock is held: it has keys of the user's.
    pub(crate) fn unbind(&self, forget: bool, left: &mut Vec<Aside>) -> bool {
        let mut state = self.lock();
        if self.word.fetch_add(ONE_ACQUIRED, Ordering::AcqRel).wrapping_add(ONE_ACQUIRED)
            < ONE_ACQUIRED
        {
            self.wraps.fetch_add(1, Ordering::Release);
        }
        if !state.unbind(&self.word) {
            return false;
        }
        self.hint_at_queue(&state);
        let acquired = self.acquired(&mut state);
        state.close_books(acquired, forget);
        left.extend(state.take_special().map(|special| special.into_aside()));
        true
    }

    /// What it shows at this moment. What is left is dropped when no lock is held, also none of the
    /// caller's: it has keys of the user's.
    pub(crate) fn read(&self, left: &mut Vec<Aside>) -> Reading {
        let mut state = self.lock();
        let acquired = self.acquired(&mut state);
        let reading = state.read(&self.word, acquired);
        let forgotten = state.take_forgotten();
        if !forgotten.is_empty() {
            left.push(Aside::of_keys(forgotten));
        }
        reading
    }

    /// The keys with the most waiters and holders.
    pub(crate) fn busiest_keys(&self, most: usize) -> Vec<KeyReading> {
        let mut busiest = Vec::new();
        let mut part = 0;
        // Part by part, so that the lock is not held for as long as there are keys.
        while self.lock().keys().is_some_and(|keys| keys.busiest(part, most, &mut busiest)) {
            part += 1;
        }
        busiest
    }

    #[expect(clippy::inline_always, reason = "measured: it is not inlined otherwise")]
    #[inline(always)]
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Hands out what can be handed out, unlocks, and wakes.
    #[inline]
    fn serve<'a>(&'a self, state: MutexGuard<'a, State>) {
        self.serve_with(state, Wakers::default());
    }

    /// The same, and wakes others as well.
    #[inline]
    fn serve_with<'a>(&'a self, mut state: MutexGuard<'a, State>, mut wakers: Wakers) {
        if state.serve(&self.word, &mut wakers) {
            return self.serve_on(state, wakers);
        }
        unlock(state, wakers);
    }

    /// There is more to hand out than could be at one time.
    #[cold]
    fn serve_on<'a>(&'a self, state: MutexGuard<'a, State>, wakers: Wakers) {
        // Also if a waker panics.
        let more = More(self);
        unlock(state, wakers);
        drop(more);
    }

    /// How many calls have been admitted through the word.
    fn acquired(&self, state: &mut State) -> u64 {
        // Pairs with the `Release` after a wrap, so that the word is not behind this. The other way
        // round is possible, for a moment.
        let wraps = u64::from(self.wraps.load(Ordering::Acquire));
        let low = self.word.load(Ordering::Relaxed) >> 32;
        state.monotonic(wraps << 32 | low)
    }
}

/// There is more to hand out than could be at one time.
struct More<'a>(&'a Semaphore);

impl Drop for More<'_> {
    fn drop(&mut self) {
        // Not by calling each other, however many wait.
        loop {
            let mut state = self.0.lock();
            let mut wakers = Wakers::default();
            let more = state.serve(&self.0.word, &mut wakers).then(|| More(self.0));
            unlock(state, wakers);
            match more {
                Some(more) => std::mem::forget(more),
                None => return,
            }
        }
    }
}

/// Unlocks, and then does what must not be done under the lock.
#[expect(clippy::inline_always, reason = "measured: under load every call comes here twice")]
#[inline(always)]
fn unlock(state: MutexGuard<'_, State>, wakers: Wakers) {
    if state.is_special() || state.queue.has_emptied() {
        return unlock_special(state, wakers);
    }
    drop(state);
    wakers.wake();
}

#[cold]
fn unlock_special(mut state: MutexGuard<'_, State>, wakers: Wakers) {
    if state.queue.has_emptied() {
        return unlock_emptied(state, wakers);
    }
    // Dropped also if a waker panics.
    let _aside = state.aside();
    drop(state);
    wakers.wake();
}

/// There is memory besides that is not needed any more.
#[cold]
fn unlock_emptied(mut state: MutexGuard<'_, State>, wakers: Wakers) {
    // Dropped after unlocking.
    let _emptied = state.queue.take_emptied();
    unlock_special(state, wakers);
}
