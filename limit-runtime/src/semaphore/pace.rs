//! The pace at which a queue moves, from which an early refusal follows: how long a call would wait at its place.
//!
//! Only the time counts during which calls have waited without a break. All permits are out then, so what comes back is
//! what the backend does. (An average over a time in which few calls came would be far too slow, and would refuse calls
//! that are served in no time.) Nobody knows the pace before [`ENOUGH`] calls have been served since the queue began.
//!
//! The time is a lower bound. It takes all permits that are out to come back this moment: for the pace, which would be
//! too slow by up to a round otherwise, because calls that began together come back together; and for the waiters, of
//! whom as many are served without waiting any longer. So where all calls take the same time, no call is too late that
//! would be in time.

use super::wait_list::WaitList;
use std::time::Duration;
use tokio::time::Instant;

/// The calls that make a pace known.
const ENOUGH: u32 = 8;
/// The shortest time between two marks.
const APART: Duration = Duration::from_secs(1);
/// The calls between two marks, in rounds of all permits. With so many, those that are out make a pace too fast by a
/// quarter at most.
const ROUNDS: u32 = 4;

/// How far a queue has moved, at one time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) at: Instant,
    /// Waiters that were served, which wrap at 2³².
    pub(super) served: u32,
}

/// The queue that a call is to join.
#[derive(Debug)]
pub(super) struct ToJoin<'a> {
    pub(super) list: &'a WaitList,
    /// How many calls wait.
    pub(super) waiting: usize,
    /// Permits that are out.
    pub(super) out: u32,
    /// Waiters that were served, which wrap at 2³².
    pub(super) served: u32,
    pub(super) pace: &'a mut Pace,
}

/// The pace of one queue.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The mark that counts.
    earlier: Option<Mark>,
    /// A later one, which takes its place.
    later: Option<Mark>,
}

impl Pace {
    /// Begins with a queue in which nobody waits.
    pub(super) fn begin(&mut self, now: Mark) {
        *self = Self { earlier: Some(now), later: None };
    }

    /// Forgets the pace, because it was no pace of the backend.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Returns the least time that it takes until so many calls are served, if the pace is known and nobody gives up.
    /// `out` is the number of permits that are out.
    pub(super) fn time_for(&mut self, calls: usize, out: u32, now: Mark) -> Option<Duration> {
        let enough = out.saturating_mul(ROUNDS).max(ENOUGH);
        let may_count =
            |mark: Mark| mark.served_until(now) >= enough && mark.time_until(now) >= APART;
        if self.later.is_some_and(may_count) {
            self.earlier = self.later.take();
        }
        let earlier = *self.earlier.get_or_insert(now);
        if self.later.is_none() && may_count(earlier) {
            self.later = Some(now);
        }
        let (served, time) = (earlier.served_until(now), earlier.time_until(now));
        if served < ENOUGH || time.is_zero() {
            return None;
        }
        let pace = (f64::from(served) + f64::from(out)) / time.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 calls wait")]
        let calls = calls.saturating_sub(out as usize) as f64;
        Duration::try_from_secs_f64(calls / pace).ok()
    }
}

impl Mark {
    fn served_until(self, now: Self) -> u32 {
        now.served.wrapping_sub(self.served)
    }

    fn time_until(self, now: Self) -> Duration {
        now.at.saturating_duration_since(self.at)
    }
}
