//! A semaphore whose permits are leased from a fleet.

use super::super::lease::{LeaseWords, Leasing, Load};
use super::super::wake_list::WakeList;
use super::{Arrival, Decision, State};
use crate::policy::Request;
use crate::rejected::RejectedKind;
use crate::sync::AtomicU64;
use std::mem;
use std::task::Waker;
use std::time::Duration;

impl State {
    /// Makes it a leased semaphore, with no permits until the first grant. If it is one already, takes
    /// its permits away.
    pub(in super::super) fn begin_leasing(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        agent: Waker,
        unavailable: bool,
        wakers: &mut WakeList,
    ) {
        let leasing = self.leasing.get_or_insert_with(|| Box::new(Leasing::new(agent)));
        leasing.whole.unavailable = unavailable;
        leasing.whole.told = false;
        self.lapse(word, words, wakers);
    }

    /// Lowers the share to `most`, if it is higher. Then reads what runs and what waits.
    pub(in super::super) fn load(&mut self, word: &AtomicU64, most: Option<u32>) -> Load {
        self.set_slow(word);
        if let Some(most) = most.filter(|&most| most < self.limit) {
            self.change_limit(most);
        }
        let running = self.in_use(word);
        let waiting = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        match &mut self.leasing {
            Some(leasing) => Load { running, waiting, refused: leasing.whole.looked_at() },
            None => Load::default(),
        }
    }

    /// Begins a lease, or renews the one that there is, with a share of so many permits.
    pub(in super::super) fn grant(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        permits: u32,
        deadline: Duration,
        token: Option<u64>,
        wakers: &mut WakeList,
    ) {
        let Some(leasing) = &mut self.leasing else { return };
        leasing.whole.set_token(token);
        // Before the limit is raised: see the module `lease`.
        words.grant(deadline);
        self.set_share(word, permits, wakers);
    }

    /// Ends the lease. The calls that run have lost it.
    pub(in super::super) fn lapse(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        wakers: &mut WakeList,
    ) {
        let Some(leasing) = &mut self.leasing else { return };
        words.lapse();
        leasing.whole.set_token(None);
        for watcher in leasing.whole.take_watchers() {
            wakers.push(Some(watcher));
        }
        self.set_share(word, 0, wakers);
    }

    /// Ends the lease if its deadline is over. Returns whether there is none now.
    pub(in super::super) fn lapse_if_over(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        wakers: &mut WakeList,
    ) -> bool {
        let is_over = words.is_over();
        if is_over {
            self.lapse(word, words, wakers);
        }
        is_over
    }

    /// Lets so many calls in that have no lease.
    pub(in super::super) fn allow(
        &mut self,
        word: &AtomicU64,
        words: &LeaseWords,
        permits: u32,
        wakers: &mut WakeList,
    ) {
        self.lapse(word, words, wakers);
        if self.leasing.is_some() {
            words.allow();
            self.set_share(word, permits, wakers);
        }
    }

    /// Sets whether calls that would wait are refused while the share is 0.
    pub(in super::super) fn set_unavailable(
        &mut self,
        word: &AtomicU64,
        unavailable: bool,
        wakers: &mut WakeList,
    ) {
        if let Some(leasing) = &mut self.leasing {
            leasing.whole.unavailable = unavailable;
            self.refuse_if_unavailable(word, wakers);
        }
    }

    fn set_share(&mut self, word: &AtomicU64, permits: u32, wakers: &mut WakeList) {
        self.set_slow(word);
        self.change_limit(permits);
        self.refuse_if_unavailable(word, wakers);
    }

    fn is_unavailable(&self) -> bool {
        self.limit == 0 && self.leasing.as_ref().is_some_and(|leasing| leasing.whole.unavailable)
    }

    fn refuse_if_unavailable(&mut self, word: &AtomicU64, wakers: &mut WakeList) {
        if self.is_unavailable() && self.queue.len() > 0 {
            self.set_slow(word);
            self.dismiss_all_that(word, Some(RejectedKind::Unavailable), wakers, |_| true);
        }
    }

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
        if self.leasing.is_none() || request.permits() == 0 {
            return;
        }
        self.set_slow(word);
        // A call that finds no permit free need not look.
        if self.bank > 0 {
            self.lapse_if_over(word, words, wakers);
        }
        if self.is_unavailable() {
            arrival.refused_as = Some(RejectedKind::Unavailable);
        }
    }

    /// Tells the agent if a call has found no permit free.
    #[inline]
    pub(in super::super) fn tell_of(&mut self, decision: &Decision, wakers: &mut WakeList) {
        let Some(leasing) = &mut self.leasing else { return };
        match decision {
            Decision::Queued { .. } => {}
            Decision::Refused(refusal)
                if refusal.kind.is_transient() || refusal.kind == RejectedKind::Unavailable =>
            {
                leasing.whole.refused = true;
            }
            _ => return,
        }
        self.tell(wakers);
    }

    /// Tells the agent if a permit comes back while more are out than the share.
    #[inline]
    pub(in super::super) fn tell_of_release(&mut self, wakers: &mut WakeList) {
        if self.leasing.is_some() && self.debt > 0 {
            self.tell(wakers);
        }
    }

    /// Tells the agent that a limit of the limiter was changed. Returns `false` if there is no agent.
    pub(in super::super) fn tell_of_limits(&mut self, wakers: &mut WakeList) -> bool {
        // Always, because the agent may have read the limit before it looked.
        let agent = self.leasing.as_ref().map(|leasing| leasing.agent.clone());
        let is_told = agent.is_some();
        wakers.push(agent);
        is_told
    }

    /// Tells the agent that there is something to look at, unless it has been told since it looked.
    pub(in super::super) fn tell(&mut self, wakers: &mut WakeList) {
        if let Some(leasing) = &mut self.leasing {
            if !mem::replace(&mut leasing.whole.told, true) {
                wakers.push(Some(leasing.agent.clone()));
            }
        }
    }
}
