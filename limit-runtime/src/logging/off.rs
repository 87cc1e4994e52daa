//! The events of `tracing` without the feature: there are none.

use std::time::Duration;

#[inline]
pub(crate) fn tells_of_waits() -> bool {
    false
}

#[inline]
pub(crate) fn tell_waiting<'a>(_: impl FnOnce() -> &'a str) {}

#[inline]
pub(crate) fn tell_admitted<'a>(_: impl FnOnce() -> &'a str, _: impl FnOnce() -> Duration) {}

pub(crate) fn tell_warning(_: &str, _: bool, _: &str) {}

/// Tells of a limit over a fleet that holds for less than the fleet, or for nothing. Nothing else in the process
/// may show it, so it goes to stderr.
pub(crate) fn tell_of_fleet(limiter: &str, text: &str) {
    eprintln!("limit-runtime: concurrency limit `{limiter}`: {text}");
}
