//! A semaphore whose limit adapts: the members of a cohort begin and end, and the limit changes.

use super::super::adapting::Adapting;
use super::super::slots::{NO_KEY, NO_SLOT};
use super::super::wake_list::WakeList;
use super::super::word;
use super::State;
use crate::adaptive::Adaptation;
use crate::adaptive::controller::Outcome;
use crate::events::EventKind;
use crate::metrics::AdaptiveFigures;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::time::Duration;
use tokio::time::Instant;

impl State {
    /// Lets the limit adapt within a range, from the present limit on, or holds it at a number; with `None` it does not
    /// adapt any more. The semaphore must be bound.
    pub(in super::super) fn set_adapting(
        &mut self,
        word: &AtomicU64,
        adapting: Option<(Adaptation, Option<u32>)>,
        wakers: &mut WakeList,
    ) {
        let Some((range, held)) = adapting else {
            if let Some(ended) = self.adapting.take() {
                // Its members give their permits back as other calls do.
                self.max_waiting = ended.max_waiting;
                self.stop_sampling_all();
                // Neither a question nor a hold-off lasts.
                self.set_slow(word);
                self.change_limit(ended.settled_limit());
            }
            return;
        };
        let (limit, passed) = (self.limit, self.begun_without_waiting(word));
        let max_waiting = self.max_waiting;
        let begin = || Box::new(Adapting::new(range, limit, passed, max_waiting));
        let adapting = self.adapting.get_or_insert_with(begin);
        adapting.set(range, held);
        self.doubt_growers();
        self.stop_sampling_all();
        self.sample_all_if_wanted(word);
        // It may have ended a question.
        self.apply_max_waiting();
        if held.is_none() {
            // A limit that was set outside the range comes back into it.
            self.apply_adapted(word);
            // A call weighs at most the lowest limit. One that waits and weighs more might wait for ever.
            self.dismiss_too_heavy(word, wakers);
        }
    }

    /// Returns whether the limit adapts.
    #[inline]
    pub(in super::super) fn adapts(&self) -> bool {
        self.adapting.is_some()
    }

    /// Returns whether a call that was admitted at once is to be a member.
    #[inline]
    pub(in super::super) fn samples_all(&self) -> bool {
        self.modes.as_deref().is_some_and(|modes| modes.sampling)
    }

    /// Makes a call that begins now a member, if the controller wants one. `slot` is the slot that the call has, if it has
    /// one. Returns the slot of a member.
    pub(in super::super) fn begin_member(
        &mut self,
        word: &AtomicU64,
        now: Instant,
        weight: u32,
        slot: u32,
    ) -> Option<u32> {
        self.count_passed(word);
        // A call that waited for the limit of its key or share alone says nothing about the whole.
        let is_held_back = !self.is_parted() || self.is_full(word) || self.samples_all();
        let adapting = self.adapting.as_deref_mut()?;
        let now = adapting.time(now);
        if weight == 0 || !is_held_back && !adapting.wants_any_call() {
            return None;
        }
        let member = adapting.controller.begin(now, weight)?;
        let slot = if slot == NO_SLOT { self.queue.hold(NO_KEY) } else { slot };
        self.adapting.as_deref_mut()?.add(slot, member);
        Some(slot)
    }

    /// Ends a member that gives its permits back.
    pub(in super::super) fn end_member(&mut self, now: Instant, slot: u32, is_panicking: bool) {
        if let Some(adapting) = &mut self.adapting {
            // The time of a call that panics says nothing.
            adapting.end(slot, (!is_panicking).then_some(now));
        }
    }

    /// Notes how a call has ended that still holds its permits.
    pub(in super::super) fn mark_member(&mut self, word: &AtomicU64, slot: u32, outcome: Outcome) {
        let Some(adapting) = &mut self.adapting else { return };
        let is_member = adapting.mark(slot, outcome);
        if !is_member && outcome == Outcome::Overloaded && !self.samples_all() {
            // Nobody need wait where calls fail at once: the next calls are looked at.
            self.sample_all(word);
        }
    }

    /// Forgets a member whose permits go to another call's.
    pub(in super::super) fn forget_member(&mut self, slot: u32) {
        if let Some(adapting) = &mut self.adapting {
            adapting.end(slot, None);
        }
    }

    /// Tells the controller of a call that was refused because the limit is full. Then calls need not wait to be
    /// members.
    pub(super) fn tell_controller(&mut self, word: &AtomicU64, kind: RejectedKind) {
        // A refusal by the limit of a key or share, or while new calls are held off, says nothing about the limit that
        // adapts.
        if !kind.is_transient() || self.is_parted() && !self.is_full(word) {
            return;
        }
        if let Some(adapting) = self.adapting.as_deref_mut().filter(|known| !known.is_held_off()) {
            adapting.controller.refuse();
            self.sample_all_if_wanted(word);
        }
    }

    /// Returns whether a question is asked, which may be over by now.
    #[inline]
    pub(in super::super) fn is_asking(&self) -> bool {
        self.adapting.as_deref().is_some_and(|adapting| adapting.controller.dip() > 0)
    }

    /// Returns whether a question is asked or new calls are held off, so that the clock may change the limit.
    #[inline]
    pub(in super::super) fn awaits_time(&self) -> bool {
        self.is_asking() || self.adapting.as_deref().is_some_and(Adapting::is_held_off)
    }

    /// Returns until when new calls are held off, by the real clock.
    pub(in super::super) fn held_off_until(&self) -> Option<std::time::Instant> {
        self.adapting.as_deref().and_then(Adapting::held_off_until)
    }

    /// Lets the controller decide. Returns whether the limit has changed. `in_use` is the number of permits that are out,
    /// and `is_full` says whether none is free, both before a call gave its own back just now.
    pub(in super::super) fn adapt(
        &mut self,
        word: &AtomicU64,
        now: Instant,
        (in_use, is_full): (u32, bool),
    ) -> bool {
        self.count_passed(word);
        let Some(adapting) = &mut self.adapting else { return false };
        let is_let_in = adapting.end_hold_off_if_over(now);
        let now = adapting.time(now);
        let cause = adapting.controller.update(now, in_use, is_full);
        if let Some(cause) = cause {
            let cause = adapting.note(cause);
            self.counters.count_adapted(cause);
        }
        if cause.is_some() || is_let_in {
            self.apply_adapted(word);
        }
        // The next cohort may want all calls, and a cohort that has its members wants none.
        self.stop_sampling_all();
        self.sample_all_if_wanted(word);
        cause.is_some() || is_let_in
    }

    /// Returns the permits that are out, and whether none is free.
    pub(in super::super) fn use_of_permits(&mut self, word: &AtomicU64) -> (u32, bool) {
        self.bank_available(word);
        (self.in_use(word), self.is_full(word))
    }

    /// Gives a question up, if one is asked: holders wait to grow that could only be refused meanwhile. Returns whether it
    /// did.
    pub(super) fn give_question_up(&mut self, word: &AtomicU64) -> bool {
        let gives_up =
            self.adapting.as_deref_mut().is_some_and(|adapting| adapting.controller.give_up());
        if gives_up {
            self.apply_adapted(word);
        }
        gives_up
    }

    /// Puts the controller's limit in force.
    fn apply_adapted(&mut self, word: &AtomicU64) {
        let Some(adapting) = &self.adapting else { return };
        let limit = self.limit_in_force(adapting.controller.limit());
        self.apply_max_waiting();
        if limit != self.limit {
            self.set_slow(word);
            self.change_limit(limit);
            self.notify(word, EventKind::LimitChanged);
        }
    }

    /// Lets more calls wait while a question withholds permits: it refuses nobody.
    fn apply_max_waiting(&mut self) {
        if let Some(adapting) = &self.adapting {
            self.max_waiting = match adapting.max_waiting {
                u32::MAX => u32::MAX,
                most => most.saturating_add(adapting.controller.dip()).min(u32::MAX - 1),
            };
        }
    }

    /// Changes how many calls may wait.
    pub(super) fn set_max_waiting(&mut self, most: u32) {
        self.max_waiting = most;
        if let Some(adapting) = &mut self.adapting {
            adapting.max_waiting = most;
            self.apply_max_waiting();
        }
    }

    /// Returns the number that is in force of a limit: none while new calls are held off.
    pub(super) fn limit_in_force(&self, limit: u32) -> u32 {
        let is_held_off = self.adapting.as_deref().is_some_and(Adapting::is_held_off);
        if is_held_off { 0 } else { limit }
    }

    /// Holds new calls off for some time. Returns whether it does.
    pub(in super::super) fn hold_off(
        &mut self,
        word: &AtomicU64,
        now: Instant,
        time: Duration,
    ) -> bool {
        let Some(adapting) = &mut self.adapting else { return false };
        let is_held_off = adapting.hold_off(now, time);
        self.apply_adapted(word);
        is_held_off
    }

    /// Returns the limit, or with keys the total, if it adapts.
    pub(in super::super) fn adapted_limit(&self) -> Option<u32> {
        (self.adapts() && self.is_bound()).then_some(self.limit)
    }

    /// Returns the figures, if the limit adapts.
    pub(super) fn adaptive_figures(&self) -> Option<AdaptiveFigures> {
        self.adapting.as_deref().map(Adapting::figures)
    }

    /// Has the clock of the controller begun earlier by some time.
    #[cfg(all(test, not(limit_loom)))]
    pub(in super::super) fn begin_earlier(&mut self, by: Duration) {
        self.adapting.as_deref_mut().expect("its limit adapts").begin_earlier(by);
    }

    /// Returns whether all permits are out.
    fn is_full(&self, word: &AtomicU64) -> bool {
        let free = if self.slow { self.bank } else { word::available(word) };
        free == 0
            || self.shares().is_some_and(|shares| shares.is_full(free))
            || !self.is_parted() && !self.list.is_empty()
    }

    /// Returns whether there are keys or shares, so that a call may wait while permits are free.
    fn is_parted(&self) -> bool {
        self.modes.as_deref().is_some_and(|modes| modes.keys.is_some() || modes.shares.is_some())
    }

    /// Tells the controller of the calls that have begun without waiting since.
    fn count_passed(&mut self, word: &AtomicU64) {
        let begun = self.begun_without_waiting(word);
        if let Some(adapting) = &mut self.adapting {
            let passed = begun.wrapping_sub(adapting.passed);
            adapting.passed = begun;
            adapting.controller.pass(passed);
        }
    }

    /// Returns how many calls have begun without waiting; wraps at 2³².
    #[expect(clippy::cast_possible_truncation, reason = "only differences count, modulo 2^32")]
    fn begun_without_waiting(&self, word: &AtomicU64) -> u32 {
        word::acquired(word).wrapping_add(self.counters.admitted_at_once as u32)
    }

    fn sample_all_if_wanted(&mut self, word: &AtomicU64) {
        if self.adapting.as_deref().is_some_and(Adapting::wants_any_call) {
            self.sample_all(word);
        }
    }

    /// Sends each call to the lock, so that it can be a member though it does not wait.
    fn sample_all(&mut self, word: &AtomicU64) {
        if self.adapting.as_deref().is_some_and(|adapting| adapting.controller.wants_member()) {
            self.set_slow(word);
            self.modes_mut().sampling = true;
        }
    }

    /// Sends calls by the word again, when the cohort has its members.
    fn stop_sampling_all(&mut self) {
        let wants_member =
            self.adapting.as_deref().is_some_and(|adapting| adapting.controller.wants_member());
        if let Some(modes) = self.modes.as_deref_mut() {
            modes.sampling &= wants_member;
        }
    }
}

/// The time for which new calls are held off at most: longer requests are wrong, or are not about this program.
pub(in super::super) const LONGEST_HOLD_OFF: Duration = Duration::from_secs(60);
