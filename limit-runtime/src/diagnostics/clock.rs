//! Converting moments to wall-clock times.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The largest difference between the wall clock and its expected time. If the difference is
/// larger, the clock was set or the machine has slept.
const TOLERANCE: Duration = Duration::from_secs(1);

/// One moment by both clocks. It stays the same as long as it is right, so that a call has the same
/// start time in every list.
static ANCHOR: Mutex<Option<WallClock>> = Mutex::new(None);

/// One moment, by the monotonic clock and by the wall clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    moment: Instant,
    time: SystemTime,
}

impl WallClock {
    pub(super) fn now() -> Self {
        let now = Self { moment: Instant::now(), time: SystemTime::now() };
        let mut anchor = ANCHOR.lock().unwrap_or_else(PoisonError::into_inner);
        *anchor.get_or_insert(now).unless_set(now)
    }

    /// Replaces itself by `now` if the wall clock was set since. Returns itself.
    fn unless_set(&mut self, now: Self) -> &Self {
        let expected = self.time_at(now.moment);
        let difference = expected.duration_since(now.time).unwrap_or_else(|error| error.duration());
        if difference > TOLERANCE {
            *self = now;
        }
        self
    }

    /// Returns the wall-clock time of a moment.
    pub(super) fn time_at(&self, moment: Instant) -> SystemTime {
        let time = match moment.checked_duration_since(self.moment) {
            Some(after) => self.time.checked_add(after),
            None => self.time.checked_sub(self.moment.duration_since(moment)),
        };
        time.unwrap_or(self.time)
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_moment_stays_at_its_time_until_the_clock_is_set() {
        let second = Duration::from_secs(1);
        let before = Instant::now();
        let begun = WallClock { moment: before + second, time: SystemTime::now() };
        let mut clock = begun;
        assert_eq!(clock.time_at(begun.moment + second), begun.time + second);
        assert_eq!(clock.time_at(before), begun.time - second);

        let later = WallClock { moment: begun.moment + second, time: begun.time + second / 2 };
        assert_eq!(
            clock.unless_set(later).time_at(begun.moment),
            begun.time,
            "one of the two was late"
        );
        for set in [begun.time + 10 * second, begun.time - 10 * second] {
            let later = WallClock { moment: begun.moment + second, time: set };
            assert_eq!(clock.unless_set(later).time_at(begun.moment), set - second);
        }
    }
}
