//! The time of day, as the log prints it.

use std::time::{Duration, SystemTime};

/// Returns the time of day in UTC, such as `13:05:09Z`.
pub(crate) fn time_of_day() -> String {
    // A clock before 1970 counts as midnight.
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
    let seconds = since_1970.as_secs() % (24 * 60 * 60);
    format!("{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
