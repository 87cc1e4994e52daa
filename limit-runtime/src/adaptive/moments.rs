//! When to ask: moments of the wall clock that all limiters share.

use std::time::Duration;

use super::rules::Rules;

/// The moments, numbered. A limiter that asks less often uses each second, fourth, … one.
#[derive(Debug)]
pub(super) struct Moments {
    /// Seconds between two of them.
    period: u64,
    phase: Duration,
    /// The last one that was looked at.
    last: u64,
}

impl Moments {
    pub(super) fn new(rules: &Rules) -> Self {
        Self { period: rules.period.max(1).into(), phase: rules.phase, last: 0 }
    }

    /// Returns the time between questions, if a call takes `base` seconds at half of `limit`: five
    /// questions would fit. The last of sixteen exponential times is about four times their mean.
    pub(super) fn wait(&self, base: f64, limit: u32) -> Duration {
        let needed = 5.0 * base * (4.0 + 16.0 / f64::from(limit.max(1)));
        let mut wait = Duration::from_secs(self.period);
        for _ in 0..12 {
            if wait.as_secs_f64() >= needed {
                break;
            }
            wait = wait.saturating_mul(2);
        }
        wait
    }

    /// Looks at the clock, and returns whether a moment has come since the last look and is not
    /// over.
    pub(super) fn arrives(&mut self, now: Duration, wait: Duration) -> bool {
        let moment = now.saturating_sub(self.phase).as_secs() / self.period;
        let moment = moment - moment % self.every(wait);
        let is_new = moment != self.last;
        self.last = moment;
        // A limiter that was idle then does not ask late, and alone.
        is_new && now.saturating_sub(self.at(moment)) <= wait / 16
    }

    /// Returns when the next moment comes.
    #[cfg(all(test, not(limit_loom)))]
    pub(super) fn next(&self, wait: Duration) -> Duration {
        let every = self.every(wait);
        self.at((self.last - self.last % every).saturating_add(every))
    }

    fn every(&self, wait: Duration) -> u64 {
        (wait.as_secs() / self.period).max(1)
    }

    fn at(&self, moment: u64) -> Duration {
        Duration::from_secs(moment.saturating_mul(self.period)).saturating_add(self.phase)
    }
}
