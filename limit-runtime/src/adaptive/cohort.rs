//! Calls that begin one after another under one limit: what their times say.

use std::time::Duration;

/// A call of a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    cohort: u32,
    index: u32,
}

/// How a member ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Overloaded,
    /// It was cancelled. It counts as a good one if it has lasted for longer than is usual: that it took no less time
    /// is known. Otherwise it counts not at all.
    Cancelled,
    /// It panicked or was set aside. It counts not at all.
    Ignored,
}

/// The figures of a closed cohort.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Seconds for each good call: the time of all members, divided by the good ones. `None` if there was none.
    pub(crate) time: Option<f64>,
    /// The share that was overloaded.
    pub(crate) bad: f64,
    /// How many independent times the mean is made of: a heavy call has one, as any other.
    pub(crate) count: f64,
    /// The squared coefficient of variation.
    pub(crate) variation: Option<f64>,
    /// `true` if calls wanted more than the limit.
    pub(crate) binds: bool,
    pub(crate) most_in_flight: u32,
    /// The mean.
    pub(crate) in_flight: f64,
}

/// The sums over the members that ended, each counted as often as its weight.
#[derive(Debug, Default)]
struct Sums {
    good: f64,
    bad: f64,
    time: f64,
    squares: f64,
    /// The squares of the weights.
    weights: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Cohort {
    number: u32,
    size: usize,
    /// When each member began, and its weight, until it ends.
    members: Vec<Option<(Duration, u32)>>,
    running: usize,
    last_begin: Duration,
    /// The most seconds that a member counts with.
    most: f64,
    /// Calls that did not wait and are no members, while members were wanted.
    pub(super) passed: u32,
    pub(super) refused: bool,
    sums: Sums,
    most_in_flight: u32,
    /// The mean of the observations, and how many.
    in_flight: (f64, u32),
}

impl Cohort {
    /// Forgets the members there are, and wants `size` others, which count with `most` seconds at
    /// most.
    pub(super) fn open(&mut self, size: u32, most: f64) {
        let mut members = std::mem::take(&mut self.members);
        members.clear();
        let number = self.number.wrapping_add(1);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        *self = Self { number, size, members, most, ..Self::default() };
    }

    pub(super) fn is_filled(&self) -> bool {
        self.members.len() >= self.size
    }

    pub(super) fn begin(&mut self, now: Duration, weight: u32) -> Member {
        let index = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        self.members.push(Some((now, weight)));
        self.running += 1;
        self.last_begin = now;
        Member { cohort: self.number, index }
    }

    pub(super) fn end(&mut self, member: Member, now: Duration, outcome: Outcome, patience: f64) {
        let index = usize::try_from(member.index).unwrap_or(usize::MAX);
        let is_own = member.cohort == self.number;
        if let Some((began, weight)) =
            self.members.get_mut(index).filter(|_| is_own).and_then(Option::take)
        {
            self.running -= 1;
            // In the first cohort half of the fewest members say what is usual.
            let most = if self.sums.good + self.sums.bad < 12.0 {
                self.most
            } else {
                self.most_now(patience)
            };
            let time = now.saturating_sub(began).as_secs_f64();
            let outcome = match outcome {
                Outcome::Cancelled if time * patience > self.most_now(patience) => Outcome::Good,
                Outcome::Cancelled => Outcome::Ignored,
                known => known,
            };
            self.sums.add(time.min(most), weight, outcome);
        }
    }

    pub(super) fn observe(&mut self, in_flight: u32) {
        self.most_in_flight = self.most_in_flight.max(in_flight);
        let (mean, count) = &mut self.in_flight;
        *count = count.saturating_add(1);
        *mean += (f64::from(in_flight) - *mean) / f64::from(*count);
    }

    /// Returns when the cohort is to be closed: when all have ended, or when the last that began
    /// counts no more.
    pub(super) fn closes_at(&self, patience: f64) -> Option<Duration> {
        if !self.is_filled() {
            return None;
        }
        if self.running == 0 {
            return Some(Duration::ZERO);
        }
        // Before the first cohort is closed, those of its members that ended say what is usual.
        Some(self.last_begin.saturating_add(seconds(self.most_now(patience))))
    }

    /// Returns the most seconds that a member counts with, as far as is known.
    fn most_now(&self, patience: f64) -> f64 {
        if self.most.is_finite() {
            return self.most;
        }
        let Sums { good, bad, time, .. } = self.sums;
        let ended = good + bad;
        // If nothing at all has ended that counts, a minute is long.
        if ended > 0.0 { patience * time / ended } else { 60.0 }
    }

    /// Evaluates the cohort. A member that still runs counts with its time so far.
    pub(super) fn close(&mut self, now: Duration, patience: f64) -> Sample {
        let waited = self.members.len();
        let most = self.most_now(patience);
        for (began, weight) in self.members.drain(..).flatten() {
            let time = now.saturating_sub(began).as_secs_f64().min(most);
            self.sums.add(time, weight, Outcome::Good);
        }
        let Sums { good, bad, time, squares, weights } = self.sums;
        let all = good + bad;
        let passed = usize::try_from(self.passed).unwrap_or(usize::MAX);
        Sample {
            time: self.sums.mean(),
            bad: if all > 0.0 { bad / all } else { 0.0 },
            count: if all > 0.0 { all * all / weights } else { 0.0 },
            variation: (time > 0.0).then(|| (all * squares / (time * time) - 1.0).max(0.0)),
            binds: self.refused || passed <= waited / 9,
            most_in_flight: self.most_in_flight,
            in_flight: self.in_flight.0,
        }
    }
}

impl Sums {
    fn add(&mut self, time: f64, weight: u32, outcome: Outcome) {
        let weight = f64::from(weight);
        match outcome {
            Outcome::Good => self.good += weight,
            Outcome::Overloaded => self.bad += weight,
            Outcome::Cancelled | Outcome::Ignored => return,
        }
        self.time += weight * time;
        self.squares += weight * time * time;
        self.weights += weight * weight;
    }

    /// At least a nanosecond, because times are divided by each other.
    fn mean(&self) -> Option<f64> {
        (self.good > 0.0).then(|| (self.time / self.good).max(1e-9))
    }
}

/// Returns the duration, or the longest there is.
pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(if seconds > 0.0 {
        Duration::MAX
    } else {
        Duration::ZERO
    })
}
