//! A semaphore whose permits are leased from a fleet: what calls look at, and what the agent is told.

use super::super::lease::{LeaseWords, Term, Terms};
use super::super::slots::{NO_KEY, NO_SLOT, NOTHING};
use super::super::status::GRANTED;
use super::super::wake_list::WakeList;
use super::{Arrival, Decision, State};
use crate::policy::{MAX_LIMIT, Request};
use crate::rejected::{Refusal, RejectedKind};
use crate::sync::AtomicU64;
use std::mem;

impl State {
    /// Looks at the lease before a call is decided about. The look and the taking of a permit are one
    /// step for the agent, because both are under the lock.
    #[inline]
    pub(in super::super) fn look_before(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        request: Request,
        arrival: &mut Arrival,
        wakers: &mut WakeList,
    ) {
        if self.leasing.is_some() && request.permits() > 0 {
            self.look_at_whole(word, words, arrival, wakers);
        }
    }

    #[cold]
    fn look_at_whole(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        arrival: &mut Arrival,
        wakers: &mut WakeList,
    ) {
        self.set_slow(word);
        // A call that finds no permit free need not look.
        if self.bank > 0 {
            self.lapse_if_over(word, words, wakers);
        }
        if self.is_unavailable(NO_KEY) {
            arrival.refused_as = Some(RejectedKind::Unavailable);
        }
    }

    /// Looks at the lease of a call's key, as [`look_before`](Self::look_before).
    pub(super) fn look_at_key(
        &mut self,
        word: &AtomicU64,
        key: u32,
        arrival: &mut Arrival,
        wakers: &mut WakeList,
    ) {
        if self.leasing.is_none() || key == NO_KEY {
            return;
        }
        self.lapse_key_if_over(word, key, wakers);
        if self.is_unavailable(key) {
            arrival.refused_as = Some(RejectedKind::Unavailable);
        }
    }

    /// Looks at the leases of a call that was handed permits. Returns the terms, `None` if one of them is
    /// over, or if they may be strays: the call gives the permits back.
    ///
    /// A permit that was handed out under a lease that is over counts as running. So a later lease may have a
    /// share that it is not a part of. A share that was only lowered is no reason: the call has its turn.
    pub(in super::super) fn look_after(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        slot: u32,
        wakers: &mut WakeList,
    ) -> Option<Terms> {
        if slot != NO_SLOT && self.queue.status(slot) != GRANTED {
            // The grant was taken back meanwhile, as the call finds out when it claims it. Its key may be forgotten.
            return Some(Terms::NONE);
        }
        let key = self.key_of(slot);
        let mut is_over = self.lapse_if_over(word, words, wakers);
        if key != NO_KEY {
            is_over |= self.lapse_key_if_over(word, key, wakers);
        }
        self.bank_available(word);
        let is_excess = self.has_strays(NO_KEY) || key != NO_KEY && self.has_strays(key);
        (!is_over && !is_excess).then(|| self.terms(words, slot))
    }

    /// Returns the present terms for a holder with a slot.
    #[inline]
    pub(in super::super) fn terms(&mut self, words: &LeaseWords, slot: u32) -> Terms {
        if self.leasing.is_none() { Terms::NONE } else { self.terms_of_leases(words, slot) }
    }

    #[cold]
    fn terms_of_leases(&mut self, words: &LeaseWords, slot: u32) -> Terms {
        let whole = words.term();
        let key = self.key_of(slot);
        let key = self.key_lease(key).map_or(Term::NONE, |lease| lease.words.term());
        Terms { whole, key }
    }

    /// Returns whether a holder is covered by all leases that it needs.
    pub(in super::super) fn is_valid(
        &mut self,
        words: &LeaseWords,
        terms: Terms,
        slot: u32,
    ) -> bool {
        let Some(leasing) = &self.leasing else { return terms == Terms::NONE };
        let is_whole_valid = if leasing.is_whole_leased {
            words.is_valid(terms.whole)
        } else {
            words.term() == terms.whole
        };
        let key = self.key_of(slot);
        is_whole_valid
            && (key == NO_KEY
                || self.key_lease(key).is_some_and(|lease| lease.words.is_valid(terms.key)))
    }

    /// Returns the key whose lease a holder watches, and whose token it has. Without keys, [`NO_KEY`].
    pub(in super::super) fn key_of(&self, slot: u32) -> u32 {
        let has_key = self.keys().is_some() && slot != NO_SLOT && slot != NOTHING;
        if has_key { self.queue.key(slot) } else { NO_KEY }
    }

    /// Returns whether the permits are leased.
    pub(super) fn is_leased(&self) -> bool {
        self.leasing.is_some()
    }

    /// Tells the agent if a call without a key has found no permit free.
    #[inline]
    pub(in super::super) fn tell_of(&mut self, decision: &Decision, wakers: &mut WakeList) {
        if self.leasing.is_some() {
            self.tell_of_call(decision, wakers);
        }
    }

    #[cold]
    fn tell_of_call(&mut self, decision: &Decision, wakers: &mut WakeList) {
        match decision {
            // The calls of keys have told of themselves.
            _ if self.keys().is_some() => {}
            Decision::Queued { .. } => self.tell(NO_KEY, wakers),
            Decision::Refused(refusal) => self.tell_of_refusal(refusal.kind, NO_KEY, wakers),
            Decision::Admitted { .. } | Decision::Unprepared => {}
        }
    }

    /// Tells the agent that a call of a key waits.
    pub(super) fn tell_of_waiter(&mut self, key: u32, wakers: &mut WakeList) {
        self.tell_of_missing_agent(wakers);
        if key != NO_KEY && self.leasing.as_ref().is_some_and(|leasing| leasing.has_agent) {
            self.lease_key(key);
            self.tell(key, wakers);
            self.tell(NO_KEY, wakers);
        }
    }

    /// Tells the engine once of a call that wants a permit while the fleet is stopped.
    fn tell_of_missing_agent(&mut self, wakers: &mut WakeList) {
        let Some(leasing) = &mut self.leasing else { return };
        if !leasing.has_agent && !mem::replace(&mut leasing.whole.told, true) {
            wakers.push(Some(leasing.agent.clone()));
        }
    }

    /// Tells the agent that a call is refused, if the reason is that no permit is free.
    pub(super) fn tell_of_refusal(&mut self, kind: RejectedKind, key: u32, wakers: &mut WakeList) {
        self.tell_of_missing_agent(wakers);
        let is_told = kind.is_transient() || kind == RejectedKind::Unavailable;
        let Some(leasing) = self.leasing.as_mut().filter(|leasing| is_told && leasing.has_agent)
        else {
            return;
        };
        leasing.whole.refused |= leasing.is_whole_leased;
        self.tell(NO_KEY, wakers);
        if key != NO_KEY {
            // Nobody waits for the key, so it is kept until the agent has looked.
            self.lease_key(key);
            if let Some(lease) = self.key_lease(key) {
                lease.lease.refused = true;
            }
            self.tell(key, wakers);
        }
    }

    /// Tells the agent if a permit comes back while more are out than the share.
    #[inline]
    pub(in super::super) fn tell_of_release(
        &mut self,
        weight: u32,
        slot: u32,
        wakers: &mut WakeList,
    ) {
        if self.leasing.is_some() {
            self.tell_of_debt(weight, slot, wakers);
        }
    }

    #[cold]
    fn tell_of_debt(&mut self, weight: u32, slot: u32, wakers: &mut WakeList) {
        // After a stop nobody wants to know.
        if self.leasing.as_ref().is_some_and(|leasing| !leasing.has_agent) {
            return;
        }
        // Without weight the permit came back by the word, while SLOW was set. The agent may have lowered
        // the share then, and may have taken the permit from the word after it had counted it as running.
        if self.debt > 0 || weight == 0 {
            self.tell(NO_KEY, wakers);
        }
        let key = self.key_of(slot);
        if key != NO_KEY && self.keys().is_some_and(|keys| keys.is_in_debt(key)) {
            self.tell(key, wakers);
        }
    }

    /// Counts a call that was admitted and whose lease is lost as refused.
    pub(in super::super) fn refuse_without_lease(
        &mut self,
        word: &AtomicU64,
        weight: u32,
    ) -> Refusal {
        self.bank_available(word);
        let mut refusal = self.refuse(word, RejectedKind::Unavailable, NO_KEY, weight);
        refusal.lost_lease = true;
        refusal
    }

    /// Tells the agent that a limit was changed, whose share stays. Returns `false` if there is no lease.
    pub(in super::super) fn tell_of_limit(&mut self, limit: u32, wakers: &mut WakeList) -> bool {
        // Always, because the agent may have read the limit before it looked.
        let Some(leasing) = &mut self.leasing else { return false };
        leasing.tell_of_setting(wakers);
        if let Some(keys) = self.keys_mut() {
            // For figures: calls are held to the share of their key.
            keys.limit = limit;
        }
        true
    }

    /// Tells the agent that the total over all keys was changed, as [`tell_of_limit`](Self::tell_of_limit).
    /// The first total begins the lease of it.
    pub(in super::super) fn tell_of_total(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        total: u32,
        wakers: &mut WakeList,
    ) -> bool {
        let has_keys = self.keys().is_some();
        let Some(leasing) = self.leasing.as_mut().filter(|_| has_keys) else { return false };
        let begins = !leasing.is_whole_leased && total < MAX_LIMIT;
        leasing.is_whole_leased |= begins;
        leasing.tell_of_setting(wakers);
        if begins {
            self.lapse(word, words, NO_KEY, wakers);
        }
        true
    }

    /// Tells the agent that there is something to look at, unless it has been told since it looked.
    pub(in super::super) fn tell(&mut self, key: u32, wakers: &mut WakeList) {
        let Some(leasing) = &mut self.leasing else { return };
        let is_news = if key == NO_KEY {
            leasing.is_whole_leased && !mem::replace(&mut leasing.whole.told, true)
        } else {
            leasing.keys.contains(&key) && leasing.keys_told.insert(key)
        };
        if is_news {
            wakers.push(Some(leasing.agent.clone()));
        }
    }
}
