//! The estimates from the cohorts, and the limit that follows from them.

use super::cohort::Sample;
use super::rules::Rules;

/// Why the limit changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Grow,
    Cut,
    Overload,
    /// It was halved to learn `R0`.
    Question,
    /// It is back from a question.
    Answer,
}

/// How far a limiter is that began with the lowest limit. See *Start* in the controller.
#[derive(Clone, Copy, Debug)]
enum Start {
    Nothing,
    /// The mean at the first limit, and its squared standard error, as a share of it.
    First(f64, f64),
    /// Enough, or the limit of the start is somebody's choice.
    Over,
}

#[derive(Debug)]
pub(super) struct Estimator {
    pub(super) rules: Rules,
    low: u32,
    high: u32,
    /// `R`, in seconds.
    pub(super) time: Option<f64>,
    /// `R0`, in seconds.
    pub(super) base: Option<f64>,
    /// Times cut the limit no lower before the next question.
    floor: u32,
    /// The squared coefficient of variation of the times.
    variation: f64,
    start: Start,
}

impl Estimator {
    pub(super) fn new(rules: Rules, low: u32, high: u32) -> Self {
        let low = low.max(1);
        let high = high.max(low);
        Self {
            rules,
            low,
            high,
            time: None,
            base: None,
            floor: 0,
            variation: 1.0,
            start: Start::Nothing,
        }
    }

    pub(super) fn range(&self) -> (u32, u32) {
        (self.low, self.high)
    }

    /// Begins at a limit of which no time is known, or at the lowest, and returns it.
    pub(super) fn start_at(&mut self, limit: Option<u32>) -> u32 {
        self.start = if limit.is_some() { Start::Over } else { Start::Nothing };
        let limit = self.clamp(limit.unwrap_or(1));
        self.floor = scale(limit, self.rules.floor);
        self.time = None;
        limit
    }

    /// Returns how many calls make a mean as exact as wanted.
    pub(super) fn cohort_size(&self) -> u32 {
        if !matches!(self.start, Start::Over) {
            return self.rules.first;
        }
        let squared = self.rules.error * self.rules.error;
        whole((self.variation / squared).clamp(24.0, 9.0 / squared))
    }

    /// Returns the most seconds that a call counts with.
    pub(super) fn most_seconds(&self) -> f64 {
        self.time.map_or(f64::INFINITY, |time| self.rules.patience * time)
    }

    /// Takes the sample of a question for `limit`.
    pub(super) fn learn_base(&mut self, limit: u32, sample: &Sample) {
        self.learn_variation(sample);
        if let Some(time) = sample.time.filter(|_| sample.binds && sample.bad < 0.5) {
            self.base = Some(self.smooth(self.base, time));
            self.start = Start::Over;
            self.floor = scale(limit, self.rules.floor);
        }
    }

    /// Takes a sample at `limit`, and returns the limit that follows.
    pub(super) fn decide(&mut self, limit: u32, sample: &Sample) -> Option<(u32, Cause)> {
        self.learn_variation(sample);
        if sample.bad > 0.1 {
            let used = limit.min(sample.most_in_flight);
            // At least one less: of a small limit the share is less than one.
            let less = scale(used, 1.0 - sample.bad / 2.0).min(used.saturating_sub(1));
            return Some((self.clamp(less), Cause::Overload));
        }
        let time = sample.time.filter(|_| sample.binds)?;
        let (base, time) = self.learn_time(time, sample);
        let want = match self.start {
            Start::First(..) => self.wanted(limit, base, time).max(self.rules.second),
            _ => self.wanted(limit, base, time),
        };
        if want < limit {
            Some((self.clamp(want.max(limit.min(self.floor))), Cause::Cut))
        } else {
            (sample.bad < 0.03).then(|| (self.clamp(want), Cause::Grow))
        }
    }

    /// Takes the mean of a cohort, and returns `R0` and `R`.
    fn learn_time(&mut self, sampled: f64, sample: &Sample) -> (f64, f64) {
        let error = sample.variation.unwrap_or(1.0) / sample.count.max(1.0);
        let (base, time) = match self.start {
            Start::Nothing => {
                self.start = Start::First(sampled, error);
                (sampled, sampled)
            }
            Start::First(first, error_of_first) => {
                self.start = Start::Over;
                // A difference that may be chance is none: under both limits no call waits for another.
                let error = (error + error_of_first).sqrt();
                let is_longer = (sampled / first).ln() > self.rules.chance * error;
                (if is_longer { first } else { sampled.max(first) }, sampled)
            }
            Start::Over => {
                let time = self.smooth(self.time, sampled);
                (self.base.unwrap_or(time), time)
            }
        };
        (self.base, self.time) = (Some(base), Some(time));
        (base, time)
    }

    /// Takes a sample of a limiter that asks nothing. See *Advice* in the controller.
    pub(super) fn advise(
        &mut self,
        limit: u32,
        advice: Option<u32>,
        sample: &Sample,
    ) -> Option<u32> {
        self.learn_variation(sample);
        let sampled = sample.time?;
        if sample.in_flight <= f64::from(advice.unwrap_or(limit)) / 2.0 {
            self.base = Some(self.smooth(self.base, sampled));
        } else if sample.in_flight >= 0.9 * f64::from(limit) {
            self.time = Some(self.smooth(self.time, sampled));
        }
        match (self.base, self.time) {
            (Some(base), Some(time)) => Some(self.clamp(self.wanted(limit, base, time))),
            _ => advice,
        }
    }

    fn learn_variation(&mut self, sample: &Sample) {
        if let Some(variation) = sample.variation {
            self.variation += 0.1 * (variation.min(9.0) - self.variation);
        }
    }

    fn smooth(&self, old: Option<f64>, new: f64) -> f64 {
        match old {
            Some(old) if (new / old).ln().abs() <= self.rules.jump => {
                old + self.rules.weight * (new - old)
            }
            _ => new,
        }
    }

    /// Returns `N + √N`, or what is wanted in place of one root.
    fn wanted(&self, limit: u32, base: f64, time: f64) -> u32 {
        let working = f64::from(limit) * (base / time).min(1.0);
        whole(working + self.rules.slack * working.sqrt())
    }

    fn clamp(&self, limit: u32) -> u32 {
        limit.clamp(self.low.saturating_mul(self.rules.lowest).min(self.high), self.high)
    }
}

fn scale(limit: u32, factor: f64) -> u32 {
    whole(f64::from(limit) * factor)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and makes 0 of NaN"
)]
fn whole(number: f64) -> u32 {
    number.round() as u32
}
