//! A clock that does not stop while the machine is suspended.

use std::time::Duration;

/// Returns the time since the machine was started, suspensions included.
#[cfg(any(target_os = "android", target_os = "linux"))]
pub(crate) fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Returns the time since the first call in this process. Elsewhere than on Linux it depends on the
/// system whether suspensions count: see [`std::time::Instant`].
#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(crate) fn since_boot() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    // Never zero: that is a deadline which is always over.
    FIRST.get_or_init(Instant::now).elapsed() + Duration::from_secs(1)
}
