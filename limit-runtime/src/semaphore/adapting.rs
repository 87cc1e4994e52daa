//! The state of a semaphore whose limit adapts: the controller, and the calls from whose times it learns.
//!
//! The fast path knows nothing of this. A call can be a *member* of the controller's cohort if it has waited, because it
//! has taken the lock and looked at the clock already. Its slot goes back with a mark (see [`sampled`](super::sampled)), so
//! that no other call asks at its end whether it is one.
//!
//! Time is tokio's, so that tests can pause it. If calls of one semaphore begin and end by different clocks, which only a
//! test with a paused clock can have, then their times are wrong.

use super::moment;
use crate::adaptive::controller::{Cause, Controller, Member, Outcome};
use crate::adaptive::rules::Rules;
use crate::adaptive::{Adaptation, Favor};
use crate::metrics::{AdaptiveCause, AdaptiveFigures};
use std::collections::BTreeMap;
use std::time::{self, Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// The state of a limit that adapts.
#[derive(Debug)]
pub(super) struct Adapting {
    pub(super) controller: Controller,
    range: Adaptation,
    is_frozen: bool,
    /// The members that hold their permits, by slot. A tree, because it shrinks.
    members: BTreeMap<u32, Sampled>,
    origin: Origin,
    /// The calls that had begun without waiting when they were counted last; wraps at 2³².
    pub(super) passed: u32,
    /// The most calls that may wait while no question is asked.
    pub(super) max_waiting: u32,
    held_off: Option<HoldOff>,
    last_change: Option<AdaptiveCause>,
}

/// A member that holds its permits.
#[derive(Clone, Copy, Debug)]
struct Sampled {
    member: Member,
    outcome: Outcome,
}

/// The time until which new calls are held off: by the clock of the calls, which may be paused, and by the real one.
#[derive(Clone, Copy, Debug)]
struct HoldOff {
    until: Instant,
    until_real: time::Instant,
}

/// A reading of the clock, and the time since the Unix epoch at it.
#[derive(Clone, Copy, Debug)]
struct Origin {
    at: Instant,
    since_epoch: Duration,
}

impl Origin {
    fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: moment::now(), since_epoch }
    }
}

impl Adapting {
    /// Makes the state of a limit that begins at the present one.
    pub(super) fn new(range: Adaptation, limit: u32, passed: u32, max_waiting: u32) -> Self {
        Self {
            controller: controller(&range, limit),
            range,
            is_frozen: false,
            members: BTreeMap::new(),
            origin: Origin::now(),
            passed,
            max_waiting,
            held_off: None,
            last_change: None,
        }
    }

    /// Changes the range, and holds the limit at a number or lets it go on.
    pub(super) fn set(&mut self, range: Adaptation, held: Option<u32>) {
        if range != self.range {
            // One that advises has no limit of its own.
            let limit = if range.advises { range.first() } else { self.settled_limit() };
            self.range = range;
            self.is_frozen = false;
            self.controller = controller(&range, limit);
            // The new controller does not know them.
            self.members.clear();
        }
        if let Some(limit) = held {
            self.controller.freeze(limit);
        } else if self.is_frozen && range.advises {
            // It has no limit of its own.
            self.controller.freeze(range.first());
        } else if self.is_frozen {
            self.controller.thaw();
        }
        self.is_frozen = held.is_some();
    }

    /// Returns a reading as the controller wants it: as a time since the Unix epoch that never jumps.
    pub(super) fn time(&self, now: Instant) -> Duration {
        self.origin.since_epoch + now.saturating_duration_since(self.origin.at)
    }

    /// Has the clock begun earlier by some time.
    #[cfg(all(test, not(limit_loom)))]
    pub(super) fn begin_earlier(&mut self, by: Duration) {
        self.origin.at -= by;
        self.origin.since_epoch -= by;
    }

    /// Notes a member with the slot that it holds.
    pub(super) fn add(&mut self, slot: u32, member: Member) {
        self.members.insert(slot, Sampled { member, outcome: Outcome::Good });
    }

    /// Notes how a member will have ended. Returns `false` if the call with the slot is none.
    pub(super) fn mark(&mut self, slot: u32, outcome: Outcome) -> bool {
        let sampled = self.members.get_mut(&slot);
        sampled.map(|sampled| sampled.outcome = outcome).is_some()
    }

    /// Ends a member. `None` is the time of one that does not count.
    pub(super) fn end(&mut self, slot: u32, now: Option<Instant>) {
        let Some(Sampled { member, outcome }) = self.members.remove(&slot) else { return };
        match now {
            Some(now) => self.controller.end(member, self.time(now), outcome),
            None => self.controller.end(member, self.origin.since_epoch, Outcome::Ignored),
        }
    }

    /// Returns whether every call is to be a member, and not only those that have waited.
    pub(super) fn wants_any_call(&self) -> bool {
        self.controller.wants_any_call()
    }

    /// Holds new calls off. Returns whether it does: advice changes nothing.
    pub(super) fn hold_off(&mut self, now: Instant, time: Duration) -> bool {
        let new = HoldOff { until: now + time, until_real: time::Instant::now() + time };
        if !self.range.advises && self.held_off.is_none_or(|known| known.until < new.until) {
            self.held_off = Some(new);
        }
        self.is_held_off()
    }

    /// Lets new calls in again, if the time for which they are held off is over. Returns whether it is.
    pub(super) fn end_hold_off_if_over(&mut self, now: Instant) -> bool {
        let is_over =
            |held: &mut HoldOff| now >= held.until || time::Instant::now() >= held.until_real;
        self.held_off.take_if(is_over).is_some()
    }

    /// Returns whether new calls are held off.
    pub(super) fn is_held_off(&self) -> bool {
        self.held_off.is_some()
    }

    /// Returns until when new calls are held off, by the real clock.
    pub(super) fn held_off_until(&self) -> Option<time::Instant> {
        self.held_off.map(|held| held.until_real)
    }

    /// Returns the limit without a question.
    pub(super) fn settled_limit(&self) -> u32 {
        self.controller.limit() + self.controller.dip()
    }

    /// Returns the most that a call may weigh: what it can be sure to get some time.
    pub(super) fn heaviest(&self) -> u32 {
        let stays = self.is_frozen || self.range.advises;
        if stays { self.controller.limit() } else { self.range.low }
    }

    pub(super) fn note(&mut self, cause: Cause) -> AdaptiveCause {
        let cause = match cause {
            Cause::Grow => AdaptiveCause::Grow,
            Cause::Cut => AdaptiveCause::Cut,
            Cause::Overload => AdaptiveCause::Overload,
            Cause::Question => AdaptiveCause::Question,
            Cause::Answer => AdaptiveCause::Answer,
        };
        self.last_change = Some(cause);
        cause
    }

    pub(super) fn figures(&self) -> AdaptiveFigures {
        let controller = &self.controller;
        let limit = controller.limit();
        let (low, high) = controller.range();
        let (base_time, time) = (controller.base_time(), controller.time());
        AdaptiveFigures {
            low: low as usize,
            high: high as usize,
            limit: limit as usize,
            base_time,
            time,
            queue: base_time.zip(time).map(|(base, time)| queue(limit, base, time)),
            advice: controller.advice().filter(|_| self.range.advises).map(|limit| limit as usize),
            is_advising: self.range.advises,
            favor: self.range.favor,
            is_asking: controller.dip() > 0,
            is_frozen: self.is_frozen,
            is_held_off: self.is_held_off(),
            last_change: self.last_change,
        }
    }
}

/// Makes a controller that begins at a limit, or at the nearest one of its range. It may go on faster from a limit that
/// nobody has chosen.
fn controller(range: &Adaptation, limit: u32) -> Controller {
    let Adaptation { low, high, advises, favor, .. } = *range;
    let rules = Rules { slack: Favor::slack(favor), ..Rules::DEFAULT };
    if advises {
        Controller::advising(rules, low, high, limit)
    } else {
        let is_somebodys = range.start.is_some() || limit != range.first();
        Controller::with(rules, low, high, is_somebodys.then_some(limit))
    }
}

/// Returns how many of the calls that run wait for others: all but those that do work, by Little's law.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is at most the limit"
)]
fn queue(limit: u32, base: Duration, time: Duration) -> usize {
    let idle = 1.0 - base.as_secs_f64() / time.as_secs_f64();
    (f64::from(limit) * idle).max(0.0).round() as usize
}
