//! The semaphore: the fast path of the word, and the lock behind it.

use super::hint::SharedHint;
use super::lease::LeaseWords;
use super::modes::Modes;
use super::refused::RefusedByWord;
use super::sampled::is_marked;
use super::slots::{NO_SLOT, NOTHING};
use super::state::State;
use super::wake_list::{WakeList, wake_one};
use super::word::{self, AVAILABLE, ONE_ACQUIRED, SLOW};
use crate::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, lock};
use std::mem;
use std::ptr;
use std::task::Waker;

/// The permits of one limiter in one scope. See the documentation of the module `semaphore`.
///
/// Its alignment keeps two semaphores from sharing a cache line, or a pair of lines that is fetched
/// together.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Semaphore {
    pub(super) word: AtomicU64,
    state: Mutex<State>,
    /// The number of times that the word's `acquired` has wrapped.
    wraps: AtomicU32,
    /// What becomes of calls that find too few permits free.
    pub(super) hint: SharedHint,
    pub(super) refused: RefusedByWord,
    /// The lease under which permits are taken, if they are a fleet's.
    pub(super) lease: LeaseWords,
}

impl Semaphore {
    /// Makes a semaphore that is not bound to a limit.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(SLOW),
            wraps: AtomicU32::new(0),
            hint: SharedHint::new(),
            refused: RefusedByWord::new(),
            state: Mutex::new(State::new()),
            lease: LeaseWords::new(),
        }
    }

    /// Returns a number that no other semaphore has: its address. Semaphores are never freed.
    pub(crate) fn id(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Takes permits by the word, if SLOW is clear and enough of them are free.
    ///
    /// `still_ours` says whether the semaphore still belongs to the runtime that the caller looked it
    /// up for. It is called between the load and the exchange: see *Memory ordering*.
    #[inline]
    pub(super) fn take(&self, weight: u32, still_ours: impl Fn() -> bool) -> bool {
        // `Acquire`: `still_ours` must not be asked before this load.
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            if word & SLOW != 0 || word & AVAILABLE < u64::from(weight) || !still_ours() {
                return false;
            }
            let taken = word.wrapping_add(ONE_ACQUIRED) - u64::from(weight);
            // `Acquire` pairs with the `Release` of the `fetch_add` in `release`.
            match self.word.compare_exchange_weak(word, taken, Ordering::Acquire, Ordering::Acquire)
            {
                Ok(_) => {
                    if taken < ONE_ACQUIRED {
                        // Pairs with the `Acquire` load in `acquired`.
                        self.wraps.fetch_add(1, Ordering::Release);
                    }
                    return true;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Gives permits back, with the holder's slot if it has one ([`NO_SLOT`] if not). [`NOTHING`] in place
    /// of a slot does nothing: the semaphore may be another limiter's by now.
    #[inline]
    pub(super) fn release(&'static self, weight: u32, slot: u32) {
        // Relaxed: it decides only which way to go. The `fetch_add` looks again.
        if slot == NO_SLOT && self.word.load(Ordering::Relaxed) & SLOW == 0 {
            // `Release` pairs with the compare-exchange in `take`, and with the lock holder's `fetch_sub`.
            let before = self.word.fetch_add(u64::from(weight), Ordering::Release);
            if before & SLOW == 0 {
                return;
            }
            // SLOW was set in between. The permits are in the word, and a waiter may want them.
            self.release_slow(0, NO_SLOT);
        } else if slot != NOTHING {
            self.release_slow(weight, slot);
        }
    }

    // Neither this nor `enter` is `cold`: under load every call comes here.
    #[inline(never)]
    fn release_slow(&'static self, weight: u32, slot: u32) {
        if slot != NO_SLOT && self.may_have_only_keys() {
            return self.release_of_key(weight, slot);
        }
        self.release_general(weight, slot);
    }

    #[inline]
    fn release_general(&'static self, weight: u32, slot: u32) {
        let mut state = self.lock();
        if state.can_hand_over(slot) {
            let waker = state.hand_over(weight, slot);
            if state.may_serve() {
                return self.serve_another(state, waker);
            }
            drop(state);
            if let Some(waker) = waker {
                wake_one(waker);
            }
            return;
        }
        if is_marked(slot) {
            drop(state);
            return self.release_member(weight, slot);
        }
        let mut wakers = WakeList::default();
        state.tell_of_release(weight, slot, &mut wakers);
        state.release(&self.word, weight, slot);
        self.serve_and_wake(state, wakers);
    }

    /// Serves more waiters, after one was served whose waker this is.
    #[inline(never)]
    fn serve_another(&'static self, state: MutexGuard<'static, State>, waker: Option<Waker>) {
        let mut wakers = WakeList::default();
        wakers.push(waker);
        self.serve_and_wake(state, wakers);
    }

    /// Gives the permits of a key back on its fast path, if nothing but keys is on.
    #[inline(never)]
    fn release_of_key(&'static self, weight: u32, slot: u32) {
        if is_marked(slot) {
            return self.release_member(weight, slot);
        }
        let mut state = self.lock();
        match state.release_of_key(weight, slot) {
            Some(true) => self.serve(state),
            Some(false) => self.unlock(state, WakeList::default()),
            None => {
                // A mode was turned on meanwhile.
                drop(state);
                self.release_general(weight, slot);
            }
        }
    }

    /// Unlocks, and then does what must not be done under the lock.
    #[expect(clippy::inline_always, reason = "measured: under load every call comes here twice")]
    #[inline(always)]
    pub(super) fn unlock(&'static self, state: MutexGuard<'static, State>, wakers: WakeList) {
        if state.has_deferred() || state.queue.has_emptied() {
            return self.unlock_with_deferred(state, wakers);
        }
        drop(state);
        if wakers.is_empty() {
            // It has no memory either. (Measured: its drop takes 29 instructions of a call that queues.)
            mem::forget(wakers);
        } else {
            wakers.wake();
        }
    }

    #[cold]
    fn unlock_with_deferred(
        &'static self,
        mut state: MutexGuard<'static, State>,
        wakers: WakeList,
    ) {
        // Dropped last, also if a waker panics: memory that is not needed, and foreign code.
        let _emptied = state.queue.take_emptied();
        let _deferred = state.modes.as_deref_mut().and_then(Modes::take_deferred);
        let asks_for_look = state.take_asked();
        drop(state);
        if asks_for_look {
            self.ask_for_look();
        }
        wakers.wake();
    }

    /// Serves the waiters that can be served.
    pub(crate) fn serve_all(&'static self) {
        self.serve(self.lock());
    }

    /// Returns whether a call that comes to the lock nearly always queues there. It is only a hint: such a call
    /// clones its waker before it takes the lock, and no other call clones one for nothing.
    pub(super) fn would_queue(&self, weight: u32) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        let is_free = word & SLOW == 0 && word & AVAILABLE >= u64::from(weight);
        weight > 0 && !is_free && self.hint.load().queues(weight)
    }

    /// Returns whether keys are on and no other mode, or were a moment ago. The lock's holder looks again.
    #[inline]
    pub(super) fn may_have_only_keys(&self) -> bool {
        self.hint.load().has_only_keys()
    }

    /// Updates the hint. A caller that may have turned a mode on, or changed the limit, calls this before
    /// unlocking.
    pub(super) fn update_hint(&self, state: &mut State) {
        self.hint.store(state.hint());
    }

    /// Adds a call to `acquired` that took no permits. So the word changes, and a compare-exchange that
    /// is under way fails.
    pub(super) fn change_word(&self) {
        // `AcqRel`: the owner's mark was changed before, and the permits that are out are read after.
        let before = self.word.fetch_add(ONE_ACQUIRED, Ordering::AcqRel);
        if before.wrapping_add(ONE_ACQUIRED) < ONE_ACQUIRED {
            self.wraps.fetch_add(1, Ordering::Release);
        }
    }

    /// Returns how many calls were admitted through the word.
    pub(super) fn acquired(&self, state: &mut State) -> u64 {
        // Pairs with the `Release` after a wrap: if this sees the wrap, the word is not older. The
        // opposite happens for a moment: the word has wrapped and `wraps` is not counted yet.
        let wraps = u64::from(self.wraps.load(Ordering::Acquire));
        state.monotonic(wraps << 32 | u64::from(word::acquired(&self.word)))
    }

    #[expect(clippy::inline_always, reason = "measured: it is not inlined otherwise")]
    #[inline(always)]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Hands out the permits that can be handed out, unlocks, and wakes the waiters.
    #[inline]
    pub(super) fn serve(&'static self, state: MutexGuard<'static, State>) {
        self.serve_and_wake(state, WakeList::default());
    }

    /// Does the same, and wakes others as well.
    #[inline]
    pub(super) fn serve_and_wake(
        &'static self,
        mut state: MutexGuard<'static, State>,
        mut wakers: WakeList,
    ) {
        if state.serve(&self.word, &mut wakers) {
            return self.serve_rest(state, wakers);
        }
        self.unlock(state, wakers);
    }

    /// Serves again after waking, because the wake list is full. Asks for a look of the watcher, if it is to.
    #[cold]
    fn serve_rest(&'static self, state: MutexGuard<'static, State>, wakers: WakeList) {
        // A guard, because a waker that panics must not keep the others waiting.
        let rest = ServeOnDrop(self);
        self.unlock_with_deferred(state, wakers);
        drop(rest);
    }
}

/// Serves the rest of the waiters when it is dropped.
struct ServeOnDrop(&'static Semaphore);

impl Drop for ServeOnDrop {
    fn drop(&mut self) {
        // A loop, because recursion would take a stack as deep as the wait list is long.
        loop {
            let mut state = self.0.lock();
            let mut wakers = WakeList::default();
            let rest = state.serve(&self.0.word, &mut wakers).then(|| ServeOnDrop(self.0));
            self.0.unlock_with_deferred(state, wakers);
            match rest {
                // The next turn of the loop does its work.
                Some(rest) => mem::forget(rest),
                None => return,
            }
        }
    }
}
