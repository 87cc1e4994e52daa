//! Holders of a share that want more permits: what the rules of shares say of them.

use super::super::growers::Holds;
use super::super::slots::NO_KEY;
use super::{Candidate, Shares};
use crate::share::portions;

impl Shares {
    /// Returns whether a holder of a share can have more permits, as far as the share's own bound is concerned.
    pub(in super::super) fn has_room_to_grow(&self, number: u32, wants: u32) -> bool {
        let state = &self.states[number as usize];
        wants <= state.portion.at_most.saturating_sub(state.in_use)
    }

    /// Returns whether so many free permits are enough for a holder of a share that grows.
    pub(in super::super) fn leaves_enough(&self, number: u32, wants: u32, free: u32) -> bool {
        self.fits(Candidate { number: number as usize, weight: wants, is_due: false }, free)
    }

    /// Returns whether a holder of a share could have more permits if nobody held any but the claims, at a limit.
    pub(in super::super) fn would_fit(
        &self,
        holds: &Holds,
        number: u32,
        wants: u32,
        limit: u32,
    ) -> bool {
        let portions = portions(self.made, limit);
        #[expect(clippy::cast_possible_truncation, reason = "there are at most 16 shares")]
        let in_use = |number: usize| holds.of_key(number as u32);
        let held_back = |number: usize| -> u64 {
            u64::from(portions[number].reserved).saturating_sub(in_use(number))
        };
        let Some(free) = u64::from(limit).checked_sub(holds.of_key(NO_KEY)) else {
            return false;
        };
        let (number, wants) = (number as usize, u64::from(wants));
        if in_use(number) + wants > u64::from(portions[number].at_most) {
            return false;
        }
        if wants <= held_back(number) {
            return wants <= free;
        }
        let others = (0..self.states.len()).filter(|&other| other != number);
        let for_others: u64 = others.map(held_back).sum();
        wants + for_others.min(u64::from(limit.saturating_sub(1))) <= free
    }

    /// Notes whether holders of a share wait for more permits.
    pub(in super::super) fn note_growers(&mut self, number: u32, any: bool) {
        self.states[number as usize].grows = any;
    }
}
