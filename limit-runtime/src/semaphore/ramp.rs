//! The mode in which the limit starts at one permit and rises to the whole limit, while what stands behind it warms up.
//!
//! # Rules
//!
//! The ramp starts at the first call, and again at the first call after a rest: if for at least as long as the ramp takes no
//! permit was out, no call waited and none came. At the start one permit is *let in*. From there the number rises in
//! proportion to the time, and at the end it is the limit: after the time *t* of a ramp that takes *T*, `1 + ⌊(limit − 1) · t / T⌋`
//! permits are let in.
//!
//! The permits that are let in are the limit in force: [`State`](super::state::State) has that number where it has the limit
//! otherwise, and raises it step by step as if somebody set it. So calls, debt, keys and shares go by the rules that they
//! have for any limit that changes. The whole limit stands here. It decides which call is too heavy, since such a call need
//! only wait, and it is what readers see as the limit. The difference is *withheld*.
//!
//! (A server that `HAProxy` takes back in has its connections raised in the same way, from one on: its keyword `slowstart`.
//! Envoy's slow start mode raises the weight of an endpoint. Guava's `SmoothWarmingUp` does so with a rate, and
//! cools down again with the time that it is not used.)
//!
//! # Who lets permits in
//!
//! A call that comes, a permit that comes back while calls wait, and while the ramp lasts and calls wait, a
//! [ticker](super::tickers). As with a rate, a caller that lets permits in hands them out before it unlocks. While no call
//! waits nobody does anything. Whether the ramp is to start anew is decided by the call that comes.
//!
//! # By which clock
//!
//! The callers may have several clocks: see [`Moment`](super::moment::Moment). Each clock that has been seen has a start of
//! its own here: a clock that is new begins with the time that has passed by the others. The ramp is as far as by the clock
//! that is furthest. So it never goes back, and it ends for a caller whatever the other clocks do. A rest is one only by the
//! clock by which it began.

use super::moment::{Clock, Moment};
use crate::policy::MAX_LIMIT;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Ramp {
    /// The time from the start to the whole limit.
    takes: Duration,
    /// The whole limit.
    limit: u32,
    /// The time since the start that has passed for sure, at most `takes`.
    passed: Duration,
    /// The start by each clock that has been seen since. Empty before the first call.
    starts: Vec<Moment>,
    /// The time since which no permit is out and no call waits or has come.
    rests_since: Option<Moment>,
}

/// The time that stands for one that no clock can show.
const FAR: Duration = Duration::from_secs(30 * 365 * 86_400);

impl Ramp {
    pub(super) fn new(takes: Duration) -> Self {
        Self { takes, limit: 0, passed: Duration::ZERO, starts: Vec::new(), rests_since: None }
    }

    /// Returns the whole limit.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Changes the whole limit. The time that has passed stays.
    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Returns how many permits are let in.
    pub(super) fn let_in(&self) -> u32 {
        self.let_in_after(self.passed)
    }

    /// Returns how many permits are withheld, as far as is known.
    pub(super) fn withheld(&self) -> u32 {
        self.limit - self.let_in()
    }

    /// Returns how many permits are withheld now, and changes nothing.
    pub(super) fn withheld_at(&self, now: Moment) -> u32 {
        let passed = self.passed_by(now).unwrap_or_default().max(self.passed);
        self.limit - self.let_in_after(passed)
    }

    /// Returns whether the time of the ramp is not over, as far as is known. More permits are let in with time then, now
    /// or if the limit is raised.
    pub(super) fn is_under_way(&self) -> bool {
        self.passed < self.takes
    }

    /// Notes that a call comes. The ramp starts if it is the first call, or the first after a rest.
    pub(super) fn come(&mut self, now: Moment) {
        let has_rested = self.rests_since.take().is_some_and(|since| {
            since.clock.goes_with(&now.clock) && since.time_until(now) >= self.takes
        });
        if has_rested || self.starts.is_empty() {
            self.passed = Duration::ZERO;
            self.starts.clear();
            self.starts.push(now);
        } else {
            self.look(now);
        }
    }

    /// Notes that no permit is out and no call waits.
    pub(super) fn rest(&mut self) {
        self.rests_since.get_or_insert_with(Moment::now);
    }

    /// Notes the time for a caller that wants permits, or watches for those who do.
    pub(super) fn look(&mut self, now: Moment) {
        if !self.is_under_way() {
            return;
        }
        if let Some(passed) = self.passed_by(now) {
            self.passed = self.passed.max(passed);
        } else {
            let at = now.at.checked_sub(self.passed).unwrap_or(now.at);
            self.starts.push(Moment { at, clock: now.clock });
        }
    }

    /// Notes the time for a caller that wants no permits, if its clock has been seen.
    pub(super) fn look_in_passing(&mut self, now: Moment) {
        if self.start_by(now.clock).is_some() {
            self.look(now);
        }
    }

    /// Returns the time at which the next permit is let in, or if none is to be, at which the ramp is over: by a clock that
    /// has been seen. `None` if the ramp is over.
    pub(super) fn next(&self, clock: Clock) -> Option<Instant> {
        let start = self.start_by(clock).filter(|_| self.is_under_way())?;
        let let_in = self.let_in();
        let next = if let_in < self.limit { self.time_of(let_in + 1) } else { self.takes };
        Some(start.at.checked_add(next).unwrap_or_else(|| start.at + FAR))
    }

    /// Returns how long it takes until so many more permits are let in. `None` if the ramp does not let in as many.
    pub(super) fn time_until_more(&self, permits: u64) -> Option<Duration> {
        let let_in = u64::from(self.let_in()) + permits;
        let let_in = u32::try_from(let_in).ok().filter(|&let_in| let_in <= self.limit)?;
        Some(self.time_of(let_in).saturating_sub(self.passed))
    }

    fn start_by(&self, clock: Clock) -> Option<Moment> {
        self.starts.iter().copied().find(|start| start.clock.goes_with(&clock))
    }

    /// Returns the time that has passed by a clock that has been seen.
    fn passed_by(&self, now: Moment) -> Option<Duration> {
        Some(self.start_by(now.clock)?.time_until(now).min(self.takes))
    }

    fn let_in_after(&self, passed: Duration) -> u32 {
        // A total over all keys that caps nothing has no permits to withhold.
        if self.limit <= 1 || self.limit == MAX_LIMIT || passed >= self.takes {
            return self.limit;
        }
        let more = u128::from(self.limit - 1) * passed.as_nanos() / self.takes.as_nanos();
        u32::try_from(more).map_or(self.limit, |more| 1 + more)
    }

    /// Returns the time after the start at which so many permits are let in: the least for which
    /// [`let_in_after`](Self::let_in_after) is as many.
    fn time_of(&self, let_in: u32) -> Duration {
        const SECOND: u128 = 1_000_000_000;
        if let_in <= 1 {
            return Duration::ZERO;
        }
        let steps = u128::from(self.limit.saturating_sub(1).max(1));
        let nanos = (u128::from(let_in - 1) * self.takes.as_nanos()).div_ceil(steps);
        let seconds = u64::try_from(nanos / SECOND).unwrap_or(u64::MAX);
        Duration::new(seconds, u32::try_from(nanos % SECOND).unwrap_or_default())
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn ramp(limit: u32, takes: Duration) -> Ramp {
        let mut ramp = Ramp::new(takes);
        ramp.set_limit(limit);
        ramp
    }

    #[test]
    fn it_begins_with_one_permit_and_ends_with_the_limit_and_each_next_one_comes_when_it_says() {
        for limit in [1, 2, 3, 7, 10, 64, 1_000] {
            for takes in [Duration::from_nanos(1), Duration::from_nanos(997), SECOND, 31 * SECOND] {
                let ramp = ramp(limit, takes);
                assert_eq!(ramp.let_in_after(Duration::ZERO), 1);
                assert_eq!(ramp.let_in_after(takes), limit);
                assert_eq!(ramp.time_of(limit), if limit == 1 { Duration::ZERO } else { takes });
                for let_in in 2..=limit {
                    let at = ramp.time_of(let_in);
                    assert!(ramp.let_in_after(at) >= let_in, "{let_in} of {limit} at {at:?}");
                    let before = at.saturating_sub(Duration::from_nanos(1));
                    assert!(
                        ramp.let_in_after(before) < let_in,
                        "{let_in} of {limit} before {at:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_numbers_hold_at_the_ends_of_their_types() {
        let longest = ramp(MAX_LIMIT - 1, Duration::MAX);
        assert_eq!(longest.let_in_after(Duration::MAX), MAX_LIMIT - 1);
        assert_eq!(
            longest.let_in_after(Duration::MAX.saturating_sub(Duration::from_nanos(1))),
            MAX_LIMIT - 2
        );
        assert_eq!(longest.time_of(MAX_LIMIT - 1), Duration::MAX);
        let shortest = ramp(MAX_LIMIT - 1, Duration::from_nanos(1));
        assert_eq!(shortest.let_in_after(Duration::ZERO), 1);
        assert_eq!(ramp(0, SECOND).let_in(), 0);
        assert_eq!(ramp(MAX_LIMIT, SECOND).let_in(), MAX_LIMIT, "it caps nothing");
    }

    #[test]
    fn it_starts_with_a_call_and_anew_after_a_rest_as_long_as_the_ramp() {
        let mut ramp = ramp(11, 10 * SECOND);
        let start = Moment::now();
        let at = |seconds| Moment { at: start.at + seconds * SECOND, clock: start.clock };
        ramp.come(start);
        assert_eq!((ramp.let_in(), ramp.withheld()), (1, 10));
        assert_eq!(ramp.withheld_at(at(4)), 6);
        assert_eq!(ramp.withheld(), 10, "a reading changes nothing");
        ramp.look(at(4));
        assert_eq!((ramp.let_in(), ramp.next(start.clock)), (5, Some(at(5).at)));
        assert_eq!(ramp.time_until_more(2), Some(2 * SECOND));
        assert_eq!(ramp.time_until_more(7), None);
        ramp.look(at(3));
        assert_eq!(ramp.let_in(), 5, "it never goes back");
        ramp.rests_since = Some(at(11));
        ramp.come(at(20));
        assert_eq!((ramp.let_in(), ramp.next(start.clock)), (11, None));
        ramp.rests_since = Some(at(21));
        ramp.come(at(31));
        assert_eq!((ramp.let_in(), ramp.next(start.clock)), (1, Some(at(32).at)));
    }

    #[test]
    fn a_clock_that_is_new_goes_on_from_the_time_that_has_passed() {
        let mut ramp = ramp(11, 10 * SECOND);
        let start = Moment::now();
        ramp.come(start);
        ramp.look(Moment { at: start.at + 4 * SECOND, clock: start.clock });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            tokio::time::advance(3_600 * SECOND).await;
            let other = Moment::now();
            ramp.look_in_passing(other);
            assert_eq!((ramp.let_in(), ramp.next(other.clock)), (5, None));
            ramp.look(other);
            assert_eq!((ramp.let_in(), ramp.next(other.clock)), (5, Some(other.at + SECOND)));
            tokio::time::advance(3 * SECOND).await;
            ramp.look(Moment::now());
        });
        assert_eq!(ramp.let_in(), 8, "as far as by the clock that is furthest");
        ramp.look(Moment { at: start.at + 5 * SECOND, clock: start.clock });
        assert_eq!(ramp.let_in(), 8);
    }
}
