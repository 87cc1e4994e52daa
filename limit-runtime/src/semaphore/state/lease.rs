//! A semaphore whose permits are leased from a fleet: the agent's side.
//!
//! These methods take the number of a key, [`NO_KEY`] for the limiter as a whole.

use super::super::keys::{KeySource, Keys};
use super::super::lease::{KeyLease, Lease, LeaseWords, Leasing, LeasingStart, Load};
use super::super::modes::Modes;
use super::super::slots::NO_KEY;
use super::super::wake_list::WakeList;
use super::State;
use crate::policy::MAX_LIMIT;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::task::Waker;
use std::time::Duration;

impl State {
    /// Makes it a leased semaphore, with no permits until the first grant. If it is one already, takes
    /// its permits away.
    pub(in super::super) fn begin_leasing(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        agent: &Waker,
        start: LeasingStart,
        wakers: &mut WakeList,
    ) {
        let leasing = self.leasing.get_or_insert_with(|| Box::new(Leasing::new(agent.clone())));
        leasing.has_agent = start.has_agent;
        // A total that was leased stays so, also if it caps nothing any more.
        leasing.is_whole_leased |= start.has_whole;
        leasing.whole.unavailable = start.unavailable;
        leasing.whole.told = false;
        leasing.keys_told.clear();
        self.lapse(word, words, NO_KEY, wakers);
        self.lease_keys(word, words, wakers);
    }

    /// Leases each key, if the semaphore is leased and has keys.
    pub(in super::super) fn lease_keys(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        wakers: &mut WakeList,
    ) {
        let (Some(leasing), Some(modes)) = (&self.leasing, &mut self.modes) else { return };
        let (unavailable, has_agent) = (leasing.whole.unavailable, leasing.has_agent);
        let Some(keys) = &mut modes.keys else { return };
        words.begin_keys(leasing.is_whole_leased);
        keys.are_leased = true;
        // Those that run and wait already. It is a start or a stop of the fleet: a walk over all is fine.
        for key in keys.numbers_in_use() {
            self.lease_key(key);
            if let Some((_, lease)) = self.ledger(words, key) {
                lease.unavailable = unavailable;
            }
            self.lapse(word, words, key, wakers);
            if has_agent {
                self.tell(key, wakers);
            }
        }
    }

    /// Returns the number of a key, if it has one. Without a key that is [`NO_KEY`].
    pub(in super::super) fn number_of(&self, key: Option<&dyn KeySource>) -> Option<u32> {
        match key {
            Some(key) => key.find(self.keys()?),
            None => Some(NO_KEY),
        }
    }

    /// Makes the lease of a key, if it has none.
    pub(super) fn lease_key(&mut self, key: u32) {
        let (Some(leasing), Some(modes)) = (&mut self.leasing, &mut self.modes) else { return };
        if let Some(keys) = &mut modes.keys {
            if leasing.keys.insert(key) {
                let lease = Box::new(KeyLease::new(leasing.whole.unavailable));
                *keys.state_mut(key).lease_mut() = Some(lease);
            }
        }
    }

    /// Returns the words and the lease of a key, if it has one.
    pub(in super::super) fn ledger<'a>(
        &'a mut self,
        words: &'a LeaseWords,
        key: u32,
    ) -> Option<(&'a LeaseWords, &'a mut Lease)> {
        if key != NO_KEY {
            let KeyLease { words, lease, .. } = self.key_lease(key)?;
            return Some((words, lease));
        }
        let leasing = self.leasing.as_deref_mut()?;
        leasing.is_whole_leased.then_some((words, &mut leasing.whole))
    }

    /// Returns the lease of a key, if it has one.
    pub(super) fn key_lease(&mut self, key: u32) -> Option<&mut KeyLease> {
        let (leasing, modes) = (self.leasing.as_deref()?, self.modes.as_deref_mut()?);
        if !leasing.keys.contains(&key) {
            return None;
        }
        modes.keys.as_mut()?.state_mut(key).lease_mut().as_deref_mut()
    }

    /// Lowers the share to `most`, if it is higher. Then reads what runs and what waits.
    pub(in super::super) fn load(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        key: u32,
        most: Option<u32>,
    ) -> Load {
        self.set_slow(word);
        if let Some(leasing) = &mut self.leasing {
            leasing.keys_told.remove(&key);
        }
        let Some((_, lease)) = self.ledger(words, key) else { return Load::default() };
        let refused = lease.looked_at();
        // Before the share is lowered: it may cover the strays now.
        self.has_strays(key);
        let share = self.share(key);
        if let Some(most) = most.filter(|&most| most < share) {
            self.change_share(key, most);
        }
        let running = match self.keys_mut().filter(|_| key != NO_KEY) {
            Some(keys) => keys.state_mut(key).held(),
            None => self.in_use(word),
        };
        let waiting = u32::try_from(self.waiting(key)).unwrap_or(u32::MAX);
        Load { running, waiting, refused }
    }

    /// Begins a lease, or renews the one that there is, with a share of so many permits.
    pub(in super::super) fn grant(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        key: u32,
        (permits, deadline, token): (u32, Duration, Option<u64>),
        wakers: &mut WakeList,
    ) {
        // The calls that run have lost a lease that is over, also if nobody has noticed: the fleet may have
        // given their permits away before it granted this share.
        if self.ledger(words, key).is_some_and(|(words, _)| words.has_ended()) {
            self.lapse(word, words, key, wakers);
        }
        let Some((words, lease)) = self.ledger(words, key) else { return };
        lease.token = token;
        // Before the limit is raised: see the module `lease`.
        words.grant(deadline);
        self.set_share(word, key, permits, wakers);
        self.has_strays(key);
    }

    /// Ends the lease. The calls that run have lost it.
    pub(in super::super) fn lapse(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        key: u32,
        wakers: &mut WakeList,
    ) {
        if key != NO_KEY {
            return self.lapse_key(word, key, wakers);
        }
        let Some(leasing) = self.leasing.as_mut().filter(|leasing| leasing.is_whole_leased) else {
            return;
        };
        words.lapse();
        leasing.whole.end(wakers);
        if self.keys().is_some() {
            // The calls of all keys need the total's lease.
            let keys = self.leasing.iter().flat_map(|leasing| leasing.keys.iter().copied());
            for key in keys.collect::<Vec<_>>() {
                if let Some(KeyLease { lease, .. }) = self.key_lease(key) {
                    lease.wake_watchers(wakers);
                }
            }
        }
        self.set_share(word, NO_KEY, 0, wakers);
    }

    fn lapse_key(&mut self, word: &AtomicU64, key: u32, wakers: &mut WakeList) {
        if let Some(KeyLease { words, lease, .. }) = self.key_lease(key) {
            words.lapse();
            lease.end(wakers);
            self.set_share(word, key, 0, wakers);
        }
    }

    /// Ends the lease of the limiter as a whole if its deadline is over. Returns whether there is none
    /// now.
    pub(super) fn lapse_if_over(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        wakers: &mut WakeList,
    ) -> bool {
        let is_leased = self.leasing.as_ref().is_some_and(|leasing| leasing.is_whole_leased);
        let is_over = is_leased && words.is_over();
        if is_over {
            self.lapse(word, words, NO_KEY, wakers);
        }
        is_over
    }

    /// Does the same for the lease of a key.
    pub(super) fn lapse_key_if_over(
        &mut self,
        word: &AtomicU64,
        key: u32,
        wakers: &mut WakeList,
    ) -> bool {
        let is_over = self.key_lease(key).is_none_or(|lease| lease.words.is_over());
        if is_over {
            self.lapse_key(word, key, wakers);
        }
        is_over
    }

    /// Lets so many calls in that have no lease.
    pub(in super::super) fn allow(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        key: u32,
        permits: u32,
        wakers: &mut WakeList,
    ) {
        self.lapse(word, words, key, wakers);
        if let Some((words, _)) = self.ledger(words, key) {
            words.allow();
            self.set_share(word, key, permits, wakers);
        }
    }

    /// Returns whether permits may be out that were handed to calls before the last lapse and are no part of the
    /// share. Forgets them when the share covers all that is out: from then on they count as handed out under it.
    pub(super) fn has_strays(&mut self, key: u32) -> bool {
        let is_in_debt = match self.keys().filter(|_| key != NO_KEY) {
            Some(keys) => keys.is_in_debt(key),
            None => self.debt > 0,
        };
        let lease = if key == NO_KEY {
            self.leasing.as_mut().map(|leasing| &mut leasing.whole)
        } else {
            self.key_lease(key).map(|lease| &mut lease.lease)
        };
        lease.is_some_and(|lease| {
            lease.strays &= is_in_debt;
            lease.strays
        })
    }

    /// Sets whether calls that would wait are refused while the share is 0.
    pub(in super::super) fn set_unavailable(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        key: u32,
        unavailable: bool,
        wakers: &mut WakeList,
    ) {
        if let Some((_, lease)) = self.ledger(words, key) {
            lease.unavailable = unavailable;
            self.refuse_if_unavailable(word, key, wakers);
        }
    }

    /// Gives up the lease of a key that nobody uses, and forgets the key. Returns whether it did.
    pub(in super::super) fn release_lease(&mut self, key: u32) -> bool {
        let (Some(leasing), Some(modes)) = (&mut self.leasing, &mut self.modes) else {
            return false;
        };
        let Modes { keys: Some(keys), garbage, .. } = &mut **modes else { return false };
        if !leasing.keys.contains(&key) || !keys.state_mut(key).is_idle() {
            return false;
        }
        leasing.keys.remove(&key);
        leasing.keys_told.remove(&key);
        // There may be a watcher's waker in it that was forgotten.
        if let Some(lease) = keys.state_mut(key).lease_mut().take() {
            garbage.push(lease);
        }
        keys.forget_if_idle(key, garbage);
        true
    }

    /// Returns the limit of a key in this process.
    fn share(&mut self, key: u32) -> u32 {
        match self.keys().filter(|_| key != NO_KEY) {
            Some(keys) => keys.limit_of(key),
            None => self.limit,
        }
    }

    fn set_share(&mut self, word: &AtomicU64, key: u32, permits: u32, wakers: &mut WakeList) {
        self.set_slow(word);
        self.change_share(key, permits.min(MAX_LIMIT));
        self.refuse_if_unavailable(word, key, wakers);
    }

    fn change_share(&mut self, key: u32, permits: u32) {
        if key == NO_KEY {
            return self.change_limit(permits);
        }
        if let Some(lease) = self.key_lease(key) {
            lease.share = permits;
            self.refresh_turn(key);
        }
    }

    /// Returns whether calls of a key are refused, because there is no share and the fleet cannot be
    /// reached.
    pub(super) fn is_unavailable(&mut self, key: u32) -> bool {
        let Some(leasing) = &self.leasing else { return false };
        if leasing.is_whole_leased && leasing.whole.unavailable && self.limit == 0 {
            return true;
        }
        match self.keys().filter(|_| key != NO_KEY).map(|keys| keys.lease(key)) {
            Some(Some(lease)) => lease.lease.unavailable && lease.share == 0,
            // A key without a lease has no share.
            Some(None) => leasing.whole.unavailable,
            None => false,
        }
    }

    fn refuse_if_unavailable(&mut self, word: &AtomicU64, key: u32, wakers: &mut WakeList) {
        if self.queue.len() == 0 || !self.is_unavailable(key) {
            return;
        }
        self.set_slow(word);
        let unavailable = Some(RejectedKind::Unavailable);
        if key == NO_KEY {
            return self.dismiss_all_that(word, unavailable, wakers, |_, _, _| true);
        }
        let away = self.those_away().into_iter().filter(|&(_, _, of)| of == key);
        let away: Vec<_> = away.map(|(slot, weight, _)| (slot, weight)).collect();
        for (slot, _) in self.waiters(key).into_iter().chain(away) {
            self.dismiss(word, key, slot, unavailable, wakers);
        }
    }

    /// Returns the keys with a lease, or with `told` those of which the agent has been told and has not
    /// looked since. The first result is whether the limiter as a whole is one.
    pub(in super::super) fn leased_keys(&self, told: bool) -> (bool, Vec<String>) {
        let Some(leasing) = &self.leasing else { return (false, Vec::new()) };
        let is_whole = leasing.is_whole_leased && (leasing.whole.told || !told);
        let keys = if told { &leasing.keys_told } else { &leasing.keys };
        let name = |&key: &u32| self.keys().map(|keys: &Keys| keys.name(key));
        (is_whole, keys.iter().filter_map(name).collect())
    }
}
