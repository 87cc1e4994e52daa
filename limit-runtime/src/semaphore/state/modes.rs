//! The way of a call while a mode is on: in, out and through the wait list.
//!
//! [`State`]'s own `enter`, `release` and `serve` are the plain way, and turn to these three while a mode
//! is on. (A call of a key turns to [`only_keys`](super::only_keys) first.) There are two of each on purpose. One function for both ways asks for each mode on the way of
//! every call that queues, which takes 2,204 instructions with the two (callgrind, scheduling by tokio
//! included): one `enter` makes that 2,339 (6.1 % more), one `serve` 2,290 (3.9 %), and one `release`
//! 2,265 (2.8 %).

use super::super::keys::KeySource;
use super::super::modes::Modes;
use super::super::moment::Moment;
use super::super::queue::{Joining, WaitsFor};
use super::super::slots::{NO_KEY, NO_SLOT};
use super::super::wake_list::WakeList;
use super::{Arrival, Decision, State};
use crate::events::EventKind;
use crate::policy::{Order, Request};
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;

impl State {
    /// Decides about a call while a mode is on.
    #[cold]
    pub(super) fn enter_with_modes(
        &mut self,
        word: &AtomicU64,
        request: Request,
        key: Option<&dyn KeySource>,
        arrival: &mut Arrival,
        wakers: &mut WakeList,
    ) -> Decision {
        let now = self.look_at_clock_for_call();
        let (closed, disabled, is_shadow) = match self.modes.as_deref() {
            Some(modes) => (modes.closed, modes.disabled, modes.shadow.is_some()),
            None => (false, false, false),
        };
        let request = Request { enabled: request.enabled && !disabled, ..request };
        // A shadow refuses no call, and a call that is not held to the limit is admitted.
        let is_closed = closed && request.enabled && !is_shadow;
        let weight = request.permits();
        if weight == 0 && !is_closed {
            self.counters.admitted_at_once += 1;
            self.notify(word, EventKind::Admitted);
            return Decision::Admitted { weight: 0, slot: NO_SLOT };
        }
        // A key that is not in use has no number yet. It gets none before there is a waker to join with:
        // its clone would be dropped and made again. A key that is in use gets no weight before that either: with the
        // weight an older call of it could be served before this one has joined.
        let needs_waker = arrival.may_wait() && arrival.waker.is_none() && self.max_waiting > 0;
        if needs_waker && !is_closed && !is_shadow {
            let is_awaited = self.whole_is_awaited();
            if let (Some(keys), Some(key)) = (self.keys(), key) {
                // All permits of a new key are free.
                let limit = key.limit_if_new(keys);
                let has_room = weight <= self.bank && !keys.has_turns() && weight <= limit;
                let is_light = weight == 1 || weight <= self.heaviest_under(Some(limit));
                if (is_awaited || !has_room)
                    && is_light
                    && (key.gives_weight() || key.find(keys).is_none())
                {
                    return Decision::Unprepared;
                }
            }
        }
        let key = match (self.modes.as_deref_mut(), key) {
            (Some(Modes { keys: Some(keys), .. }), Some(key)) => key.intern(keys),
            (Some(Modes { shares: Some(shares), .. }), key) => {
                key.and_then(KeySource::share).unwrap_or_else(|| shares.rest())
            }
            _ => NO_KEY,
        };
        let refused_as = if is_closed {
            Some(RejectedKind::Closed)
        } else if weight > 1 && weight > self.heaviest_of(key) {
            Some(RejectedKind::TooHeavy)
        } else {
            None
        };
        if let Some(kind) = refused_as {
            return self.turn_away(word, kind, key, weight);
        }
        self.look_at_key(word, key, arrival, wakers);
        if self.has_room(weight, key) {
            return self.admit(word, weight, key, now);
        }
        if is_shadow {
            return self.enter_shadow(word, request, key, now, arrival);
        }
        let is_full = self.is_full_for(key);
        if !arrival.may_wait() || (is_full && !self.can_evict(key, request.priority)) {
            let kind = arrival.refusal_kind();
            if key != NO_KEY {
                self.tell_of_refusal(kind, key, wakers);
            }
            return self.turn_away(word, kind, key, weight);
        }
        if arrival.patience.is_some() && self.would_time_out(key, request, arrival) {
            let kind = RejectedKind::WouldTimeOut;
            if key != NO_KEY {
                self.tell_of_refusal(kind, key, wakers);
            }
            return self.turn_away(word, kind, key, weight);
        }
        // If there are keys, this one is in use: it need not be forgotten here.
        if is_full {
            // With a waker it also has its rank, if it needs one: a call that is prepared has both.
            if arrival.waker.is_none() {
                return Decision::Unprepared;
            }
            self.evict(word, key, request.priority, wakers);
        }
        let order = self.order;
        let Self { list, queue, modes, .. } = &mut *self;
        let joined = match modes.as_deref_mut() {
            Some(Modes { keys: Some(keys), .. }) if key != NO_KEY => {
                let Some((position, waker)) = arrival.join(order, &keys.state_mut(key).list) else {
                    return Decision::Unprepared;
                };
                keys.join(queue, position, Joining { weight, key, waker })
            }
            Some(Modes { shares: Some(shares), .. }) => {
                let Some((position, waker)) = arrival.join(order, shares.list_mut(key)) else {
                    return Decision::Unprepared;
                };
                shares.count_waiting(key, 1);
                queue.join(shares.list_mut(key), position, Joining { weight, key, waker })
            }
            _ => {
                let Some((position, waker)) = arrival.join(order, list) else {
                    return Decision::Unprepared;
                };
                queue.join(list, position, Joining { weight, key, waker })
            }
        };
        self.tell_of_waiter(key, wakers);
        self.notify(word, EventKind::Waiting);
        let waits_for = if self.awaits_clock() { WaitsFor::Time } else { WaitsFor::Permits };
        Decision::Queued { joined, weight, waits_for }
    }

    /// Refuses a call. At a shadow, which refuses none, lets it in without permits.
    pub(super) fn turn_away(
        &mut self,
        word: &AtomicU64,
        kind: RejectedKind,
        key: u32,
        weight: u32,
    ) -> Decision {
        let decision = if self.is_shadow() {
            self.pass_shadow(word, kind)
        } else {
            Decision::Refused(self.refuse(word, kind, key, weight))
        };
        self.forget_if_idle(key);
        decision
    }

    /// Lets a call in without waiting. At a shadow, permits that the bank does not have are debt.
    pub(super) fn admit(
        &mut self,
        word: &AtomicU64,
        weight: u32,
        key: u32,
        now: Option<Moment>,
    ) -> Decision {
        let free = weight.min(self.bank);
        self.bank -= free;
        self.debt += weight - free;
        self.take_of_key(key, weight);
        self.counters.admitted_at_once += 1;
        let mut slot = NO_SLOT;
        if let Some(modes) = self.modes.as_deref_mut().filter(|modes| modes.need_slots()) {
            slot = self.queue.hold(key);
            if let (Some(rate), Some(now)) = (&mut modes.rate, now) {
                rate.start(slot, now);
            }
        }
        self.notify(word, EventKind::Admitted);
        Decision::Admitted { weight, slot }
    }

    /// Takes permits back while a mode is on.
    #[cold]
    pub(super) fn release_with_modes(&mut self, word: &AtomicU64, weight: u32, slot: u32) {
        self.bank_available(word);
        let mut cools = false;
        if slot != NO_SLOT {
            let key = self.queue.key(slot);
            cools = self.start_to_cool(slot, weight, key);
            self.free_slot(slot);
            if !cools {
                self.give_back_of_key(key, weight);
            }
        }
        if !cools {
            self.give_back(word, weight);
        }
        self.settle_shadow();
        self.notify(word, EventKind::Released);
    }

    /// Hands permits to waiters while a mode is on. See [`State::serve`].
    #[cold]
    pub(super) fn serve_with_modes(&mut self, word: &AtomicU64, wakers: &mut WakeList) -> bool {
        if self.has_only_keys() {
            return self.serve_in_turn(word, wakers, |_| ()) || self.asks_for_look_of_waiters();
        }
        if self.queue.len() > 0 {
            self.look_at_clock_in_passing();
        }
        if self.serve_in_turn(word, wakers, |state| state.notify(word, EventKind::Admitted)) {
            return true;
        }
        if self.growers().is_some_and(|growers| growers.is_in_doubt)
            && self.refuse_stuck_growers(word, wakers)
        {
            // Others may have waited behind those.
            if self.serve_in_turn(word, wakers, |state| {
                state.notify(word, EventKind::Admitted);
            }) {
                return true;
            }
        }
        let is_drained = self.is_drained(word);
        if is_drained {
            self.rest();
        }
        if let Some(modes) = self.modes.as_deref_mut() {
            // Permits may come earlier than the tickers know.
            modes.wake_late_tickers(wakers);
            if is_drained && !modes.drainers.is_empty() {
                modes.drainers.wake_all(wakers);
            }
        }
        if !self.has_waiters() {
            self.clear_slow(word);
        }
        self.asks_for_look_of_waiters()
    }

    /// Hands permits to waiters in turn, as far as there are enough. Calls `served` after each. Returns whether the
    /// wake list is full.
    #[inline]
    fn serve_in_turn(
        &mut self,
        word: &AtomicU64,
        wakers: &mut WakeList,
        served: impl Fn(&mut Self),
    ) -> bool {
        while !wakers.is_full() {
            if self.order == Order::Deadline && self.refuse_late(word, wakers) {
                return true;
            }
            if !self.serve_next(wakers) {
                return false;
            }
            served(self);
        }
        true
    }

    /// Returns whether a look of the watcher is asked for, because calls wait: see
    /// [`asks_for_look`](Self::asks_for_look).
    #[inline]
    fn asks_for_look_of_waiters(&mut self) -> bool {
        self.look.may_ask() && self.has_waiters() && self.asks_for_look()
    }
}
