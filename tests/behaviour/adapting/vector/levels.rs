//! How high something was, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A number that changes with time.
#[derive(Debug)]
pub(super) struct Level {
    now: usize,
    since: Instant,
    levels: Levels,
}

/// The time at each level.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels(BTreeMap<usize, Duration>);

impl Level {
    pub(super) fn new(now: Instant) -> Self {
        Self { now: 0, since: now, levels: Levels::default() }
    }

    pub(super) fn now(&self) -> usize {
        self.now
    }

    pub(super) fn add(&mut self, now: Instant, change: isize) {
        self.set(now, self.now.checked_add_signed(change).expect("as many end as begin"));
    }

    pub(super) fn set(&mut self, now: Instant, level: usize) {
        let time = now - self.since;
        if !time.is_zero() {
            *self.levels.0.entry(self.now).or_default() += time;
        }
        (self.now, self.since) = (level, now);
    }

    /// Takes what there is so far.
    pub(super) fn take(&mut self, now: Instant) -> Levels {
        self.set(now, self.now);
        std::mem::take(&mut self.levels)
    }
}

impl Levels {
    pub(super) fn max(&self) -> usize {
        self.0.last_key_value().map_or(0, |(&level, _)| level)
    }

    pub(super) fn min(&self) -> usize {
        self.0.first_key_value().map_or(0, |(&level, _)| level)
    }

    /// Returns the level of the longest time.
    pub(super) fn mode(&self) -> usize {
        self.0.iter().max_by_key(|(_, time)| **time).map_or(0, |(&level, _)| level)
    }

    /// Returns the mean over time.
    pub(super) fn mean(&self) -> f64 {
        let time: f64 = self.0.values().map(Duration::as_secs_f64).sum();
        let weighted = self.0.iter().map(|(&level, time)| {
            f64::from(u32::try_from(level).expect("it is small")) * time.as_secs_f64()
        });
        weighted.sum::<f64>() / time
    }
}
