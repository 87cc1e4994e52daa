//! The events of `tracing` without the feature: there are none.

use std::time::Duration;

#[inline]
pub(crate) fn tell_waiting<'a>(_: impl FnOnce() -> &'a str) {}

#[inline]
pub(crate) fn tell_admitted<'a>(_: impl FnOnce() -> &'a str, _: Duration) {}

pub(crate) fn tell_warning(_: &str, _: bool, _: &str) {}
