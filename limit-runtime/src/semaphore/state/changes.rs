//! What changes a semaphore from outside: its binding, its limit, closing, draining, listening.

use super::super::Listeners;
use super::super::line::{Line, LineOrder};
use super::super::returns::Returns;
use super::super::shadow::Shadows;
use super::super::slots::RETRY;
use super::super::special::{Aside, Special};
use super::super::wakers::Wakers;
use super::{Binding, State};
use crate::policy::{Force, MAX_LIMIT, Policy};
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::task::Waker;

impl State {
    /// A caller is to find the limit out, unless somebody has or is doing so.
    pub(in super::super) fn claim(&mut self) -> bool {
        let claims = self.binding == Binding::Unbound;
        if claims {
            self.binding = Binding::Claimed;
        }
        claims
    }

    /// The caller that was to find the limit out has failed to, unless somebody else has bound
    /// meanwhile: the next is to, of those who wait for it or later.
    pub(in super::super) fn unclaim(&mut self, wakers: &mut Wakers) {
        if self.binding == Binding::Claimed {
            self.binding = Binding::Unbound;
            self.dismiss_those_who_wait_for_the_limit(wakers);
        }
    }

    /// All at once: as soon as the lock is released somebody may bind, and others wait for permits.
    fn dismiss_those_who_wait_for_the_limit(&mut self, wakers: &mut Wakers) {
        while !self.line.is_empty() {
            let head = self.line.head();
            wakers.push(self.queue.dismiss(&mut self.line, head, RETRY));
        }
        // They have not waited for a permit.
        self.queue.restart_longest();
    }

    /// The limit is known. With keys, so is that over all of them. Those who have waited for it ask
    /// again.
    pub(in super::super) fn bind(
        &mut self,
        word: &AtomicU64,
        policy: &Policy,
        limit: u32,
        total: Option<u32>,
        wakers: &mut Wakers,
    ) {
        self.slow_down(word);
        self.dismiss_those_who_wait_for_the_limit(wakers);
        self.binding = Binding::Bound;
        self.max_waiting = policy.max_waiting;
        self.order = LineOrder::of_policy(policy);
        if policy.is_special() {
            // Who drains may have been there before.
            self.special().begin(policy);
        }
        if self.keys_mut().is_some() {
            self.set_total(word, total.unwrap_or(MAX_LIMIT), wakers);
        }
        self.set_limit(word, limit, wakers);
    }

    /// That of a call: with keys, that of each.
    pub(in super::super) fn set_limit(
        &mut self,
        word: &AtomicU64,
        limit: u32,
        wakers: &mut Wakers,
    ) {
        self.slow_down(word);
        if let Some(keys) = self.keys_mut() {
            keys.limit = limit;
            for key in self.lines_waited_for() {
                self.refresh(key);
            }
        } else {
            self.change_limit(limit);
        }
        self.dismiss_heavier_than(word, limit, wakers);
    }

    /// The limit over all keys; says whether there is such a thing.
    pub(in super::super) fn set_total(
        &mut self,
        word: &AtomicU64,
        total: u32,
        wakers: &mut Wakers,
    ) -> bool {
        self.slow_down(word);
        let is_keyed = self.keys_mut().is_some();
        if is_keyed {
            self.change_limit(total);
            self.dismiss_heavier_than(word, total, wakers);
        }
        is_keyed
    }

    fn change_limit(&mut self, limit: u32) {
        if limit >= self.limit {
            let raised = limit - self.limit;
            self.limit = limit;
            self.bank_permits(raised);
        } else {
            let lowered = self.limit - limit;
            let free = lowered.min(self.bank);
            self.bank -= free;
            self.debt += lowered - free;
            self.limit = limit;
        }
    }

    fn dismiss_heavier_than(&mut self, word: &AtomicU64, limit: u32, wakers: &mut Wakers) {
        if limit > 0 && self.queue.has_heavy() {
            let too_heavy = RejectedKind::TooHeavy;
            self.dismiss_all_that(word, too_heavy, wakers, |weight, _| weight > limit);
        }
    }

    /// Who can be refused is, from now on.
    pub(in super::super) fn close(&mut self, word: &AtomicU64, wakers: &mut Wakers) {
        self.slow_down(word);
        self.special().closed = true;
        // At a shadow nobody waits.
        self.dismiss_all_that(word, RejectedKind::Closed, wakers, |_, fallible| fallible);
    }

    pub(in super::super) fn reopen(&mut self) {
        if let Some(special) = &mut self.special {
            special.closed = false;
        }
    }

    /// Changes what can change of a policy. Nobody is to wait any more if that is no longer for anybody:
    /// whoever does asks again.
    pub(in super::super) fn set_policy(
        &mut self,
        word: &AtomicU64,
        policy: &Policy,
        wakers: &mut Wakers,
    ) {
        let Policy { max_waiting, force, .. } = *policy;
        self.max_waiting = max_waiting;
        let is_plain = force == Force::Full;
        if is_plain && self.special.is_none() {
            return;
        }
        self.slow_down(word);
        let special = self.special();
        special.disabled = force == Force::Off;
        special.shadow = force == Force::Shadow;
        if !special.shadow {
            special.shadows = Shadows::default();
        }
        if !is_plain {
            self.dismiss_some(word, usize::MAX, wakers);
        }
    }

    /// Tells what happens from now on.
    pub(in super::super) fn listen(&mut self, word: &AtomicU64, listeners: Listeners) {
        self.slow_down(word);
        self.special().listeners = Some(listeners);
    }

    /// Whether no permit is out, nobody waits and nobody is finding the limit out.
    pub(in super::super) fn is_idle(&mut self, word: &AtomicU64) -> bool {
        self.absorb(word);
        self.binding != Binding::Claimed && self.is_drained(word)
    }

    pub(super) fn is_drained(&self, word: &AtomicU64) -> bool {
        self.in_use(word) == 0 && self.queue.len() == 0
    }

    /// Whether no permit is out and nobody waits; if not, the waker is kept until that is so. What
    /// comes back is to be dropped after unlocking.
    pub(in super::super) fn poll_drained(
        &mut self,
        word: &AtomicU64,
        drainer: u64,
        waker: Waker,
    ) -> (bool, Option<Waker>) {
        self.slow_down(word);
        if self.is_drained(word) {
            return (true, Some(waker));
        }
        let drainers = &mut self.special().drainers;
        if let Some((_, known)) = drainers.iter_mut().find(|(known, _)| *known == drainer) {
            return (false, Some(std::mem::replace(known, waker)));
        }
        drainers.push((drainer, waker));
        (false, None)
    }

    /// One who drains has gone. What comes back is to be dropped after unlocking.
    pub(in super::super) fn forget_drainer(&mut self, drainer: u64) -> Option<Waker> {
        let drainers = &mut self.special.as_deref_mut()?.drainers;
        let place = drainers.iter().position(|(known, _)| *known == drainer)?;
        Some(drainers.swap_remove(place).1)
    }

    /// Gives up those who listen and those who wait until it is drained. What comes back is to be dropped
    /// after unlocking.
    pub(in super::super) fn let_go(&mut self) -> Option<Aside> {
        self.special.as_deref_mut().map(Special::let_go)
    }

    /// Gives the limit up if no permit is out and nobody waits. The word has been changed before, by
    /// one `acquired` that was none.
    pub(in super::super) fn unbind(&mut self, word: &AtomicU64) -> bool {
        self.acquired_before += 1;
        self.slow_down(word);
        if !self.is_idle(word) {
            if self.queue.len() == 0 {
                self.speed_up(word);
            }
            return false;
        }
        self.binding = Binding::Unbound;
        self.bank = 0;
        self.debt = 0;
        self.limit = 0;
        self.line = Line::new();
        self.max_waiting = u32::MAX;
        self.order = LineOrder::Fifo;
        self.returns = Returns::new();
        true
    }

    /// What was special, when the limit has been given up. To be dropped after unlocking.
    pub(in super::super) fn take_special(&mut self) -> Option<Box<Special>> {
        self.special.take()
    }
}
