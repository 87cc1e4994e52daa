//! Refusals of holders that want more permits, and when these may try again.
//!
//! A holder goes before all calls that hold nothing, so these say nothing of the time that it must wait. It waits for
//! permits that come back, and behind the holders that want no more of them than it does.

use super::super::super::growers::{Claim, Grower, Growers};
use super::super::super::moment;
use super::super::super::release_rate::{Checkpoint, Served};
use super::super::super::slots::NO_KEY;
use super::State;
use crate::rejected::{Awaited, Estimate, Refusal, RejectedKind};
use crate::sync::AtomicU64;

impl State {
    /// Counts the refusal of a holder that wants more permits. Returns it with its figures. The holder is not among those
    /// that wait.
    #[cold]
    pub(in super::super) fn refuse_growth(
        &mut self,
        word: &AtomicU64,
        kind: RejectedKind,
        claim: Claim,
    ) -> Refusal {
        self.refuse_with(word, kind, claim.key, |state, refusal| {
            let before = state.growers().into_iter().flat_map(Growers::iter);
            let before = before.filter(|grower| grower.wants <= claim.wants);
            let (mut of_all, mut of_key) = (u64::from(claim.wants), u64::from(claim.wants));
            for grower in before {
                of_all += u64::from(grower.wants);
                of_key += if grower.key == claim.key { u64::from(grower.wants) } else { 0 };
            }
            if !state.knows_time_of_growth(refusal, claim, of_all, of_key) {
                let missing = (of_all + u64::from(state.debt)).saturating_sub(state.bank.into());
                let awaited =
                    Awaited { calls: calls_with(missing, claim.held), weight: claim.held };
                refusal.set_details(|details| details.awaited = Some(awaited));
            }
        })
    }

    /// Returns what a waiter holds and wants, if it is a holder that waits for more permits.
    pub(in super::super) fn claim_of(&self, slot: u32) -> Option<Claim> {
        let grower = self.growers()?.iter().find(|grower| grower.slot == slot)?;
        let &Grower { key, held, wants, .. } = grower;
        Some(Claim { key, held, wants })
    }

    /// Adds the time until so many permits are free, of all and of the holder's key, if it must be known at once: it is
    /// the time of a window, or of a key, which may be forgotten later. Returns whether it is.
    fn knows_time_of_growth(
        &mut self,
        refusal: &mut Refusal,
        claim: Claim,
        of_all: u64,
        of_key: u64,
    ) -> bool {
        let Claim { key, held, .. } = claim;
        if self.has_rate() {
            let (window, cooled) = self.spent_window(moment::now(), of_all, key);
            if let Some(window) = window {
                refusal.set_details(|details| details.window = Some(window));
            }
            if cooled.is_some() {
                refusal.estimate = Estimate::known(cooled);
                return true;
            }
        }
        let Some(keys) = self.keys_mut().filter(|_| key != NO_KEY) else { return false };
        let limit = u64::from(keys.limit_of(key));
        let state = keys.state_mut(key);
        let missing = (of_key + u64::from(state.in_use)).saturating_sub(limit);
        if missing == 0 {
            // Only the total has too few.
            return false;
        }
        let (admitted, in_use) = (state.admitted, state.held());
        let now = Checkpoint { at: moment::now(), admitted, in_use };
        let served = Served { calls: calls_with(missing, held), weight: held };
        let time = state.release_rate().time_for(served, now);
        refusal.estimate = Estimate::known(time.filter(|_| limit > 0));
        true
    }
}

/// Returns how many calls give back so many permits. Each is taken to hold as many as the holder that waits for them.
fn calls_with(permits: u64, held: u32) -> u32 {
    let calls = permits.div_ceil(u64::from(held).max(1)).max(1);
    u32::try_from(calls).unwrap_or(u32::MAX)
}
