//! Times that grow while nothing happens, such as the age of a call that waits.

use crate::tick::unix_milliseconds;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// The most that the moment of an age may seem to move although it is the same, in milliseconds. The ages of one
/// reading are not all read at the same instant.
const JITTER: u64 = 500;

/// A time, in JSON a number of seconds. Two times that grow are equal if they began at the same moment: a row whose
/// times alone have grown has not changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    lasts: Duration,
    /// The moment at which the time began, in milliseconds since 1970. `None` if the time does not grow.
    since: Option<u64>,
}

impl Age {
    /// Makes a time that grows, and is so long now.
    pub(crate) fn growing(lasts: Duration) -> Self {
        Self { lasts, since: Some(unix_milliseconds().saturating_sub(milliseconds(lasts))) }
    }

    /// Makes a time that does not grow.
    pub(crate) fn constant(lasts: Duration) -> Self {
        Self { lasts, since: None }
    }

    /// Rounds down to a tenth of a second, which is more exact than most ages are known.
    pub(crate) fn in_tenths(self) -> Self {
        let tenths = self.lasts.as_millis() / 100;
        let lasts = Duration::from_millis(100 * u64::try_from(tenths).unwrap_or(u64::MAX / 100));
        Self { lasts, ..self }
    }

    pub(crate) fn is_growing(&self) -> bool {
        self.since.is_some()
    }

    pub(crate) fn as_secs_f32(&self) -> f32 {
        self.lasts.as_secs_f32()
    }

    /// Keeps the moment of a former reading if this is the same moment. A percentile is known to an eighth, as the
    /// histogram of waits has it: `parts` is 8 for that, and `None` for times that are exact.
    pub(crate) fn keep_moment(&mut self, former: Option<Self>, parts: Option<u64>) {
        let Some((since, former)) = self.since.zip(former.and_then(|former| former.since)) else {
            return;
        };
        let precision = parts.map_or(0, |parts| milliseconds(self.lasts) / parts);
        if since.abs_diff(former) <= JITTER.max(precision) {
            self.since = Some(former);
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl PartialEq for Age {
    fn eq(&self, other: &Self) -> bool {
        match (self.since, other.since) {
            (None, None) => self.lasts == other.lasts,
            (since, other) => since == other,
        }
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.lasts.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growing(lasts: u64, since: u64) -> Age {
        Age { lasts: Duration::from_secs(lasts), since: Some(since) }
    }

    #[test]
    fn age_of_the_same_moment_is_equal_and_another_one_is_not() {
        let mut later = growing(8, 1_400);
        later.keep_moment(Some(growing(7, 1_000)), None);
        assert_eq!(later, growing(7, 1_000));
        let mut younger = growing(1, 7_000);
        younger.keep_moment(Some(growing(7, 1_000)), None);
        assert_ne!(younger, growing(7, 1_000));
        assert_ne!(growing(1, 0), Age::constant(Duration::from_secs(1)));
        assert_ne!(Age::constant(Duration::ZERO), Age::constant(Duration::from_secs(1)));
    }

    #[test]
    fn moment_of_a_percentile_is_known_to_an_eighth_of_its_time() {
        let told = growing(7, 10_000);
        let after = |since| {
            let mut percentile = growing(16, since);
            percentile.keep_moment(Some(told), Some(8));
            percentile == told
        };
        assert_eq!([after(8_000), after(7_999)], [true, false]);
    }
}
