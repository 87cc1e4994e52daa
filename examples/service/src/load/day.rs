//! A day that lasts one minute.

use std::f64::consts::TAU;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

const DAY: Duration = Duration::from_mins(1);
/// The hour at which the load begins, soon before the busy hours.
const START: f64 = 10.0;
/// The hours between which the backup is made.
pub(crate) const EVENING: f64 = 20.0;
pub(crate) const MORNING: f64 = 8.0;
/// The quietest hour.
const NIGHT: f64 = 4.0;
/// The share of the peak rate at the quietest hour.
const QUIET: f64 = 0.35;

/// The clock of that day.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the share of the peak rate at this hour, at most 1.
    pub(crate) fn business(&self) -> f64 {
        let busy = 0.5 - 0.5 * (TAU * (self.hour() - NIGHT) / 24.0).cos();
        QUIET + (1.0 - QUIET) * busy
    }

    /// Returns the time until it is this hour the next time.
    pub(crate) fn until(&self, hour: f64) -> Duration {
        DAY.mul_f64((hour - self.hour()).rem_euclid(24.0) / 24.0)
    }

    fn hour(&self) -> f64 {
        let days = self.0.elapsed().as_secs_f64() / DAY.as_secs_f64();
        (START + 24.0 * days) % 24.0
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hour = self.hour();
        write!(f, "{:02.0}:{:02.0}", hour.floor(), (hour.fract() * 60.0).floor())
    }
}
