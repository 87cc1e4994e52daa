//! Holders that want more permits. [`growers`](super::super::growers) has the rules.

mod refusing;

use super::super::adapting::Adapting;
use super::super::growers::{Claim, Grower, Growers, fits_limit, stuck};
use super::super::modes::Modes;
use super::super::queue::{Joining, WaitsFor};
use super::super::slots::{NO_KEY, NO_SLOT};
use super::super::wait_list::{Position, WaitList};
use super::super::wake_list::WakeList;
use super::{Arrival, Decision, State};
use crate::events::EventKind;
use crate::policy::Request;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;

/// A holder's request for more permits.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Growth {
    /// The slot of the holder, if it has one.
    pub(in super::super) slot: u32,
    pub(in super::super) held: u32,
    pub(in super::super) wants: u32,
}

impl State {
    /// Decides about a holder that wants more permits. The semaphore is bound, because permits are out. The caller serves
    /// before it unlocks.
    pub(in super::super) fn grow(
        &mut self,
        word: &AtomicU64,
        growth: Growth,
        arrival: &mut Arrival,
    ) -> Decision {
        let Growth { slot, held, wants } = growth;
        self.set_slow(word);
        let now = self.look_at_clock();
        let (closed, disabled, is_shadow) = match self.modes.as_deref() {
            Some(modes) => (modes.closed, modes.disabled, modes.shadow.is_some()),
            None => (false, false, false),
        };
        if disabled {
            // The limit does not hold for this part either.
            self.counters.admitted_at_once += 1;
            self.note_growth_at_once();
            self.notify(word, EventKind::Admitted);
            return Decision::Admitted { weight: 0, slot: NO_SLOT };
        }
        let key = if slot == NO_SLOT { NO_KEY } else { self.queue.key(slot) };
        let refused_as = if closed && !is_shadow {
            Some(RejectedKind::Closed)
        } else if held.saturating_add(wants) > self.heaviest_of(key) {
            Some(RejectedKind::TooHeavy)
        } else {
            None
        };
        if let Some(kind) = refused_as {
            return self.turn_away(word, kind, key, held.saturating_add(wants));
        }
        if self.has_room_of_key(wants, key) && self.has_room_of_all(wants, key) {
            let decision = self.admit(word, wants, key, now);
            self.note_growth_at_once();
            // Calls of the key may have had room before.
            self.refresh_turn(key);
            return decision;
        }
        if is_shadow {
            let request = Request { weight: wants, ..Request::ONE };
            return self.enter_shadow(word, request, key, now, arrival);
        }
        if !arrival.may_wait() {
            let claim = Claim { key, held, wants };
            return Decision::Refused(self.refuse_growth(word, arrival.refusal_kind(), claim));
        }
        let mut claims = self.growers().map_or_else(Vec::new, Growers::claims);
        claims.push(Claim { key, held, wants });
        if !self.stuck(&claims).is_empty() {
            if self.give_question_up(word) {
                // The limit is higher again.
                return self.grow(word, growth, arrival);
            }
            return self.turn_away(word, RejectedKind::Deadlock, key, wants);
        }
        let Some(waker) = arrival.waker.take() else { return Decision::Unprepared };
        let mut list = WaitList::new();
        // Its wait is not like those around it, so it does not stand for others in the figures.
        let joining = Joining { weight: wants, key, waker };
        let joined = self.queue.join(&mut list, Position::First, joining);
        let grower = Grower { slot: joined.slot, key, held, wants, list };
        self.modes_mut().growers.push(grower);
        self.count_waiting(key, 1);
        self.note_growers_of(key);
        self.notify(word, EventKind::Waiting);
        let waits_for = if self.awaits_clock() { WaitsFor::Time } else { WaitsFor::Permits };
        Decision::Queued { joined, weight: wants, waits_for }
    }

    /// Tells a limit that adapts that what was just admitted is no call that found a permit free: it says nothing of
    /// whether the limit binds.
    fn note_growth_at_once(&mut self) {
        if let Some(adapting) = self.adapting.as_deref_mut() {
            adapting.passed = adapting.passed.wrapping_add(1);
        }
    }

    /// Returns the holders that wait for more permits, if there are any.
    #[inline]
    pub(super) fn growers(&self) -> Option<&Growers> {
        let growers = &self.modes.as_deref()?.growers;
        (!growers.is_empty()).then_some(growers)
    }

    /// Returns whether a holder waits for permits that calls of all keys could take from it.
    #[inline]
    pub(super) fn whole_is_awaited(&self) -> bool {
        self.growers().is_some_and(|growers| {
            let mut all = growers.iter();
            all.any(|&Grower { wants, key, .. }| self.has_room_of_key(wants, key))
        })
    }

    /// Hands permits to the holder that is next, if one waits and can have them. Returns whether it did.
    pub(super) fn serve_grower(&mut self, wakers: &mut WakeList) -> bool {
        let Some(growers) = self.growers() else { return false };
        let fits = |&index: &usize| {
            let &Grower { wants, key, .. } = growers.get(index);
            self.has_room_of_key(wants, key) && self.has_room_of_all(wants, key)
        };
        let Some(index) = growers.in_order().into_iter().find(fits) else { return false };
        let mut grower = self.modes_mut().growers.remove(index);
        let Grower { key, wants, .. } = grower;
        self.bank -= wants;
        wakers.push(self.queue.serve(&mut grower.list));
        self.take_of_key(key, wants);
        self.count_waiting(key, -1);
        self.note_growers_of(key);
        // Permits were kept free for it.
        self.forget_pace();
        true
    }

    /// Refuses the holders that wait for more than they can ever have: those that would weigh more than the limit, and
    /// the last that came of those that wait for each other.
    /// Returns whether it did.
    pub(super) fn refuse_stuck_growers(&mut self, word: &AtomicU64, wakers: &mut WakeList) -> bool {
        let mut refuses = false;
        while let Some((slot, key, kind)) = self.next_stuck() {
            refuses = true;
            if kind == RejectedKind::Deadlock && self.give_question_up(word) {
                continue;
            }
            self.dismiss(word, key, slot, Some(kind), wakers);
        }
        if let Some(modes) = self.modes.as_deref_mut() {
            modes.growers.is_in_doubt = false;
        }
        refuses
    }

    /// Notes that a limit has changed, so that holders may wait for more than they can ever have.
    pub(super) fn doubt_growers(&mut self) {
        if let Some(modes) = self.modes.as_deref_mut() {
            modes.growers.is_in_doubt = true;
        }
    }

    fn next_stuck(&self) -> Option<(u32, u32, RejectedKind)> {
        let growers = self.growers()?;
        let is_too_heavy = |&&Grower { key, held, wants, .. }: &&Grower| {
            held.saturating_add(wants) > self.heaviest_of(key)
        };
        if let Some(grower) = growers.iter().find(is_too_heavy) {
            return Some((grower.slot, grower.key, RejectedKind::TooHeavy));
        }
        let last = *self.stuck(&growers.claims()).last()?;
        let grower = growers.get(last);
        Some((grower.slot, grower.key, RejectedKind::Deadlock))
    }

    /// Returns the claims that cannot be met even if all other holders come to an end. During a pause that is not known
    /// of any.
    fn stuck(&self, claims: &[Claim]) -> Vec<usize> {
        let whole = self.whole_limit();
        if whole == 0 {
            return Vec::new();
        }
        // A limit that adapts comes back to the lowest at the least.
        let lowest = self.adapting.as_deref().map_or(0, Adapting::heaviest);
        let limit = whole.max(lowest);
        stuck(claims, |others, Claim { key, wants, .. }| match self.modes.as_deref() {
            Some(Modes { keys: Some(keys), .. }) if key != NO_KEY => {
                let of_key = keys.limit_of(key);
                (of_key == 0 || fits_limit(of_key, others, key, wants))
                    && fits_limit(limit, others, NO_KEY, wants)
            }
            Some(Modes { shares: Some(shares), .. }) => shares.would_fit(others, key, wants, whole),
            _ => fits_limit(limit, others, NO_KEY, wants),
        })
    }

    /// Returns whether a holder can have more permits as far as its own key or share is concerned.
    pub(super) fn has_room_of_key(&self, wants: u32, key: u32) -> bool {
        match self.modes.as_deref() {
            Some(Modes { keys: Some(keys), .. }) if key != NO_KEY => {
                keys.has_room_to_grow(key, wants)
            }
            Some(Modes { shares: Some(shares), .. }) => shares.has_room_to_grow(key, wants),
            _ => true,
        }
    }

    /// Returns whether a holder can have more permits as far as all calls together are concerned.
    fn has_room_of_all(&self, wants: u32, key: u32) -> bool {
        match self.shares() {
            Some(shares) => shares.leaves_enough(key, wants, self.bank),
            None => wants <= self.bank,
        }
    }

    /// Notes whether holders with a key wait, after one of them has joined or left.
    pub(super) fn note_growers_of(&mut self, key: u32) {
        let Self { queue, modes, .. } = self;
        let Some(modes) = modes.as_deref_mut() else { return };
        let any = modes.growers.of_key(key) > 0;
        match modes {
            Modes { keys: Some(keys), .. } if key != NO_KEY => {
                keys.state_mut(key).grows = any;
                keys.refresh(queue, key);
            }
            Modes { shares: Some(shares), .. } => shares.note_growers(key, any),
            _ => {}
        }
    }

    /// Returns how many holders wait for more permits, and how many of them with a key. Bounds of the queue do not
    /// hold for them.
    pub(super) fn waiting_to_grow(&self, key: u32) -> (usize, usize) {
        self.growers().map_or((0, 0), |growers| (growers.len(), growers.of_key(key)))
    }

    /// Returns the holders that wait for more permits: slot, permits and key, in the order in which they are served.
    pub(super) fn those_growing(&self) -> Vec<(u32, u32, u32)> {
        let Some(growers) = self.growers() else { return Vec::new() };
        let grower = |index| {
            let &Grower { slot, wants, key, .. } = growers.get(index);
            (slot, wants, key)
        };
        growers.in_order().into_iter().map(grower).collect()
    }
}
