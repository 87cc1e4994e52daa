//! All that a semaphore's lock guards.
//!
//! This file has the way of a plain call: in, out and through the wait list. The files below have the
//! methods for everything else: [`adaptation`] a limit that adapts, [`away`] grants that are taken back, [`modes`] the way of a call while a
//! mode is on, [`only_keys`] the shorter way of a call of a key while no other mode is on, [`keys`], [`rate`],
//! [`ramp`], [`shadow`], [`closed`], [`subscribers`] and [`drained`] a mode each, [`ticking`] permits that come with time, [`early`] calls that would wait for too long,
//! `lease` and [`admission`] permits of a fleet, [`split`] permits that are parted and put together, [`together`] a
//! call that wants several limits, [`growing`] a holder that wants more permits, [`changes`] a changed limit or policy
//! and the binding, [`leaving`] waiters that leave without permits, and [`figures`] readings and refusals.

mod adaptation;
#[cfg(feature = "fleet")]
mod admission;
#[cfg(not(feature = "fleet"))]
#[path = "state/admission/off.rs"]
mod admission;
mod arrival;
pub(super) mod away;
mod changes;
mod closed;
mod drained;
mod early;
mod figures;
mod growing;
mod keys;
#[cfg(feature = "diagnostics")]
mod knots;
#[cfg(feature = "fleet")]
mod lease;
mod leaving;
mod modes;
mod only_keys;
mod ramp;
mod rate;
mod shadow;
mod split;
mod subscribers;
mod ticking;
mod together;

pub(super) use self::adaptation::LONGEST_HOLD_OFF;
pub(crate) use self::arrival::Came;
pub(super) use self::arrival::{Arrival, read_rank};
pub(super) use self::growing::Growth;
use super::adapting::Adapting;
use super::hint::Hint;
use super::keys::{KeySource, Keys};
use super::lease::Leases;
use super::modes::Modes;
use super::pace::Pace;
use super::queue::{Joined, Joining, Queue, WaitsFor};
use super::rank::Rank;
use super::release_rate::ReleaseRate;
use super::slots::{KEPT, NO_KEY, NO_SLOT};
use super::wait_list::{Position, WaitList};
use super::wake_list::WakeList;
use super::word::{SLOW, available};
use crate::metrics::Counters;
use crate::policy::{Order, Request};
use crate::rejected::{Refusal, RejectedKind};
use crate::sync::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Duration;

/// The semaphore's binding to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binding {
    /// There is no limit yet: the next caller is to resolve it.
    Unbound,
    /// A caller is resolving it. Others may wait for that in the wait list. Nobody else is in it then.
    Claimed,
    /// The limit is known.
    Bound,
}

/// The state of the watcher's looks at a semaphore's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// No grant is ever taken back.
    Never,
    /// The watcher is to be told when a call may wait behind a grant of which it does not know.
    Off,
    /// The watcher is to be told after unlocking.
    Asked,
    /// The watcher looks a moment later.
    Due,
}

impl Look {
    /// Returns whether the watcher may have to be told.
    #[inline]
    pub(super) fn may_ask(self) -> bool {
        matches!(self, Self::Off | Self::Asked)
    }
}

/// The decision about a call that came in by the lock.
#[derive(Debug)]
pub(super) enum Decision {
    Admitted {
        weight: u32,
        slot: u32,
    },
    Queued {
        joined: Joined,
        weight: u32,
        waits_for: WaitsFor,
    },
    Refused(Refusal),
    /// The call is to join the wait list, and has no waker or no rank yet. Nothing has been changed.
    Unprepared,
}

/// The state of a semaphore. It holds at all times that
///
/// `limit + debt == free + in use + cooling`, where the free permits are the `bank` and the word's
/// `available`. With a ramp, the limit is the number of permits that are let in.
///
/// The order of the fields keeps nearly all that a queued call looks at in one cache line, together with
/// the word and the lock before it.
#[derive(Debug)]
#[repr(C)]
pub(super) struct State {
    /// With keys, the limit over all of them. The permits that a ramp withholds are no part of it.
    limit: u32,
    /// Permits that are out beyond the limit. They are paid back before anybody is served. While there
    /// is debt no permit is free.
    debt: u32,
    /// Permits that are free, while SLOW is set. Zero otherwise.
    bank: u32,
    binding: Binding,
    /// True while the word's SLOW bit is set.
    slow: bool,
    pub(super) look: Look,
    /// The waiters in order. With keys, each key has a list of its own.
    list: WaitList,
    pub(super) queue: Queue,
    pub(super) modes: Option<Box<Modes>>,
    /// The waiters whose grants were taken back, until they are polled.
    away: WaitList,
    /// The most calls that may wait. With keys, for each key.
    max_waiting: u32,
    order: Order,
    /// Slots below this number go back by the short way, on which no waiter's deadline is looked at: see
    /// [`can_hand_over`](Self::can_hand_over).
    short_way: u16,
    release_rate: ReleaseRate,
    /// The number of the binding. It counts up, and begins anew at 2²⁸.
    binding_number: u32,
    /// In a box, because there is one of these states for each limiter and runtime.
    rare: Option<Box<Rare>>,
    /// Counters since the semaphore was bound last, without the calls admitted through the word.
    counters: Counters,
    /// Counters of former bindings, if there were any that counted. In a box, as what is rare.
    past: Option<Box<Counters>>,
    /// The calls that had been admitted through the word when it was bound last.
    acquired_before: u64,
    acquired_seen: u64,
    /// The index of the limiter that the semaphore was bound for last.
    pub(super) owner: u32,
    /// A call takes one permit at most.
    is_single: bool,
    /// The leases, if the permits are a fleet's.
    pub(super) leasing: Leases,
    /// The controller, if the limit adapts.
    adapting: Option<Box<Adapting>>,
    /// The time after which a grant that nobody claims goes to another waiter.
    pub(super) claim_within: Duration,
}

/// What few semaphores have, and only at times.
#[derive(Debug, Default)]
struct Rare {
    /// The refusals of waiters that have not seen them yet, by slot. A tree, because it shrinks.
    refusals: BTreeMap<u32, Refusal>,
    /// The pace of the queue, if calls are refused early. Keys and shares have their own.
    pace: Option<Pace>,
}

/// All slots that are kept go back by the short way.
#[expect(clippy::cast_possible_truncation, reason = "they are few")]
const ALL_SHORT: u16 = {
    assert!(KEPT <= u16::MAX as u32);
    KEPT as u16
};

impl State {
    pub(super) fn new() -> Self {
        Self {
            limit: 0,
            debt: 0,
            bank: 0,
            binding: Binding::Unbound,
            slow: true,
            look: Look::Never,
            list: WaitList::new(),
            queue: Queue::new(),
            modes: None,
            away: WaitList::new(),
            max_waiting: u32::MAX,
            order: Order::Fifo,
            short_way: ALL_SHORT,
            release_rate: ReleaseRate::default(),
            binding_number: 0,
            rare: None,
            counters: Counters::default(),
            past: None,
            acquired_before: 0,
            acquired_seen: 0,
            owner: 0,
            is_single: false,
            leasing: None,
            adapting: None,
            claim_within: Duration::MAX,
        }
    }

    /// Decides about a call that cannot use the word. The semaphore must be bound. Others may be put out
    /// of the wait list to make room for the call.
    #[inline]
    pub(super) fn enter(
        &mut self,
        word: &AtomicU64,
        request: Request,
        key: Option<&dyn KeySource>,
        arrival: &mut Arrival,
        wakers: &mut WakeList,
    ) -> Decision {
        self.set_slow(word);
        // There are two of each function because one for both costs every call that queues: see `modes`.
        if self.modes.is_some() {
            return self.enter_with_modes(word, request, key, arrival, wakers);
        }
        let weight = request.permits();
        if weight > 1 && weight > self.heaviest() {
            return Decision::Refused(self.refuse(word, RejectedKind::TooHeavy, NO_KEY, weight));
        }
        let is_next = self.list.is_empty() || self.order == Order::Lifo;
        if weight == 0 || (is_next && weight <= self.bank) {
            self.bank -= weight;
            self.counters.admitted_at_once += 1;
            return Decision::Admitted { weight, slot: NO_SLOT };
        }
        let is_full = self.queue.len() >= self.max_waiting as usize;
        if !arrival.may_wait() || (is_full && !self.can_evict(NO_KEY, request.priority)) {
            let kind = arrival.refusal_kind();
            return Decision::Refused(self.refuse(word, kind, NO_KEY, weight));
        }
        if arrival.patience.is_some() && self.would_time_out(NO_KEY, request, arrival) {
            let kind = RejectedKind::WouldTimeOut;
            return Decision::Refused(self.refuse(word, kind, NO_KEY, weight));
        }
        if is_full {
            // With a waker it also has its rank, if it needs one: a call that is prepared has both.
            if arrival.waker.is_none() {
                return Decision::Unprepared;
            }
            self.evict(word, NO_KEY, request.priority, wakers);
        }
        let Some((position, waker)) = arrival.join(self.order, &self.list) else {
            return Decision::Unprepared;
        };
        let joined = self.join(weight, position, waker);
        Decision::Queued { joined, weight, waits_for: WaitsFor::Permits }
    }

    /// Returns whether there may be permits to hand out, or SLOW to be cleared, after a call came in.
    ///
    /// A call that has joined at the end has found no permits to hand out. A permit that has come back
    /// since is handed out by its former holder, because SLOW is set.
    #[inline]
    pub(super) fn must_serve_after(&self, decision: &Decision) -> bool {
        match (self.modes.as_deref(), decision) {
            // In a ranked list the call may stand before one that waits for more permits than are free. (With the
            // newest first, the call has found too few permits, and the others stand behind it.) Or the call may
            // stand behind a grant that nobody claims.
            (None, Decision::Queued { .. }) => {
                self.list.is_ranked() && self.bank > 0 || self.look.may_ask()
            }
            (None, _) | (Some(_), Decision::Queued { .. }) => true,
            // The call has taken permits that came with time, perhaps more than it wanted. Or it has passed a share that is due now.
            // Or a call that was refused has given its key a weight, and the key is next now.
            (Some(modes), _) => {
                let has_weights = modes.keys.as_ref().is_some_and(Keys::has_weights);
                let has_time = modes.rate.is_some() || modes.ramp.is_some();
                has_time || modes.shares.is_some() || has_weights
            }
        }
    }

    /// Returns whether a call [joins](Self::join) the wait list, and nothing else is to be done. Nearly every call that
    /// waits comes in by this. With `false` there is more to decide. It sets SLOW in any case.
    #[inline]
    pub(super) fn can_join(&mut self, word: &AtomicU64, request: Request) -> bool {
        if !self.slow {
            self.set_slow(word);
        }
        // With enough permits in the bank the call may be admitted, or one behind it. With fewer it waits in any order,
        // and nobody else can be served who could not before. A permit that has come back to the word since SLOW was
        // set is handed out by its former holder.
        self.bank < request.weight
            && self.is_plain()
            && self.is_bound()
            && self.queue.len() < self.max_waiting as usize
            && (request.weight == 1 || request.weight <= self.heaviest())
    }

    /// Returns the position at which a call joins the wait list. `None` if it needs a rank first.
    #[inline]
    pub(super) fn position(&self, rank: Option<Rank>) -> Option<Position> {
        self.list.position(self.order, rank)
    }

    /// Adds a call to the wait list.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    pub(super) fn join(&mut self, weight: u32, position: Position, waker: Waker) -> Joined {
        let joining = Joining { weight, key: NO_KEY, waker };
        self.queue.join(&mut self.list, position, joining)
    }

    /// Returns whether the permits of a call that leaves are to be [handed over](Self::hand_over). Nearly all permits
    /// take this way while calls wait.
    #[inline]
    pub(super) fn can_hand_over(&self, slot: u32) -> bool {
        !self.list.is_empty()
            && self.debt == 0
            && slot < u32::from(self.short_way)
            && self.is_plain()
    }

    /// Takes the permits of a call that leaves, and hands the waiter at the head its own if they are enough. Returns
    /// its waker. Another waiter [may have to be served](Self::may_serve) after that.
    #[inline]
    pub(super) fn hand_over(&mut self, weight: u32, slot: u32) -> Option<Waker> {
        self.free_slot(slot);
        self.bank += weight;
        let next = self.queue.head_weight(&self.list)?;
        if next > self.bank {
            return None;
        }
        self.bank -= next;
        self.queue.serve(&mut self.list)
    }

    /// Returns whether there are permits for the waiter at the head, or for calls that come if nobody waits.
    #[inline]
    pub(super) fn may_serve(&mut self) -> bool {
        self.bank > 0 && self.queue.head_weight(&self.list).is_none_or(|next| next <= self.bank)
    }

    /// Returns whether no mode is on, the permits are no fleet's, and the watcher has been told of unclaimed grants.
    #[inline]
    fn is_plain(&self) -> bool {
        self.modes.is_none() && self.leasing.is_none() && !self.look.may_ask()
    }

    /// Takes permits back, and the slot of their holder if it had one.
    #[inline]
    pub(super) fn release(&mut self, word: &AtomicU64, weight: u32, slot: u32) {
        if self.modes.is_some() {
            return self.release_with_modes(word, weight, slot);
        }
        if slot != NO_SLOT {
            self.free_slot(slot);
        }
        self.give_back(word, weight);
    }

    /// Takes permits back. Debt is paid first.
    fn give_back(&mut self, word: &AtomicU64, weight: u32) {
        if self.slow {
            self.bank_permits(weight);
        } else {
            // Pairs with the compare-exchange of the next holder, as on the fast path.
            word.fetch_add(u64::from(weight), Ordering::Release);
        }
    }

    /// Pays debt, and keeps the rest until it is handed out. SLOW must be set.
    fn bank_permits(&mut self, permits: u32) {
        debug_assert!(self.slow, "otherwise permits are in the word");
        let paid = permits.min(self.debt);
        self.debt -= paid;
        self.bank += permits - paid;
    }

    /// Hands permits to waiters in order, as far as there are enough. Clears SLOW if nothing keeps it
    /// set. Returns whether the wake list was full before all were served, or a look of the watcher is asked for: the
    /// caller wakes the list, asks, and then serves again.
    #[expect(clippy::inline_always, reason = "measured: under load every call comes here")]
    #[inline(always)]
    pub(super) fn serve(&mut self, word: &AtomicU64, wakers: &mut WakeList) -> bool {
        if !self.slow {
            return false;
        }
        self.bank_available(word);
        if self.modes.is_some() {
            return self.serve_with_modes(word, wakers);
        }
        if self.order == Order::Deadline && self.refuse_late(word, wakers) {
            return true;
        }
        while let Some(weight) = self.queue.head_weight(&self.list) {
            if weight > self.bank {
                return self.look.may_ask() && self.asks_for_look();
            }
            if wakers.is_full() {
                return true;
            }
            self.bank -= weight;
            wakers.push(self.queue.serve(&mut self.list));
        }
        self.clear_slow(word);
        false
    }

    /// Takes the slot of a holder back.
    #[expect(
        clippy::inline_always,
        reason = "measured: see `semaphore`, *What a queued call costs*"
    )]
    #[inline(always)]
    fn free_slot(&mut self, slot: u32) {
        if self.queue.finish(slot) {
            self.count_waits();
        }
    }

    /// Returns the word's hint. Finds out whether keys are on and nothing else is.
    pub(super) fn hint(&mut self) -> Hint {
        let hint = self.hint_of_limit();
        if self.adapts() { hint.with_adapting() } else { hint }
    }

    fn hint_of_limit(&mut self) -> Hint {
        let only_keys = self.note_only_keys();
        if !self.is_bound() || (self.modes.is_some() && !only_keys) {
            return Hint::NONE;
        }
        let limit = self.limit.min(self.limit_of_call());
        // A call that comes while a question is asked, or calls are held off, looks at the clock before it joins.
        let max_waiting = if self.awaits_time() { u32::MAX - 1 } else { self.max_waiting };
        let hint = Hint::new(limit, self.binding_number, max_waiting);
        if only_keys {
            return hint.with_only_keys();
        }
        // A fleet and a controller are to be told of refusals. Each call of a fleet takes one permit at most.
        if self.is_leased() || self.is_single || self.adapts() {
            hint
        } else {
            hint.with_refusals()
        }
    }

    pub(super) fn is_bound(&self) -> bool {
        self.binding == Binding::Bound
    }

    /// Sets SLOW, and takes the permits that the word has. From here on only the lock's holder takes from
    /// the word.
    fn set_slow(&mut self, word: &AtomicU64) {
        if !self.slow {
            self.slow = true;
            // `Acquire` for the permits that came back before, `Release` to keep their release sequence.
            word.fetch_or(SLOW, Ordering::AcqRel);
        }
        self.bank_available(word);
    }

    /// Moves permits that came back through the word to the bank.
    fn bank_available(&mut self, word: &AtomicU64) {
        if !self.slow {
            return;
        }
        let available = available(word);
        if available > 0 {
            // `Acquire`: the next holder sees what the former holders wrote.
            word.fetch_sub(u64::from(available), Ordering::AcqRel);
            self.bank_permits(available);
        }
    }

    /// Clears SLOW if nothing keeps it set, and puts the free permits back into the word. No call may
    /// wait.
    #[inline]
    fn clear_slow(&mut self, word: &AtomicU64) {
        if !self.slow || self.debt > 0 || !self.is_bound() {
            return;
        }
        if self.modes.is_some() && !self.drop_modes_that_are_off() {
            return;
        }
        // `Release` pairs with the compare-exchange of the next call on the fast path.
        word.fetch_add(u64::from(self.bank).wrapping_sub(SLOW), Ordering::AcqRel);
        self.bank = 0;
        self.slow = false;
    }

    /// Returns whether a mode leaves work to be done after unlocking, or a look is asked for while one is on.
    /// (Without modes, a caller that asks for a look is told so by [`serve`](Self::serve).)
    #[inline]
    pub(super) fn has_deferred(&self) -> bool {
        let modes = self.modes.as_deref();
        modes.is_some_and(|modes| modes.has_deferred() || self.look == Look::Asked)
    }

    /// Drops the modes if none is on. Returns whether it did.
    fn drop_modes_that_are_off(&mut self) -> bool {
        let are_off = self.modes.as_deref_mut().is_some_and(|modes| {
            modes.subscribers.has_receivers();
            modes.are_off()
        });
        if are_off {
            self.modes = None;
        }
        are_off
    }

    /// Returns the permits that are out. While SLOW is set, the word's permits must have been banked.
    fn in_use(&self, word: &AtomicU64) -> u32 {
        let available = if self.slow { 0 } else { available(word) };
        let cooling = match self.modes.as_deref() {
            Some(Modes { rate: Some(rate), .. }) => rate.permits(),
            _ => 0,
        };
        // Two sums, so that neither overflows: the free permits are a part of the limit.
        (self.limit - self.bank - available) + self.debt - cooling
    }

    /// Returns the modes, after making room for them. SLOW must be set.
    fn modes_mut(&mut self) -> &mut Modes {
        self.modes.get_or_insert_with(Box::default)
    }
}
