//! Events of `tracing`.

use std::cell::Cell;
use std::time::Duration;

/// The target of all events. It is part of the public interface.
pub(crate) const TARGET: &str = "limit_runtime";

thread_local! {
    /// True while this thread emits an event.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Tells that a call starts to wait for a permit.
pub(crate) fn tell_waiting<'a>(limiter: impl FnOnce() -> &'a str) {
    tell(|| tracing::debug!(target: TARGET, limiter = limiter(), "call waits for a permit"));
}

/// Returns whether anybody listens to the events of calls that wait.
#[inline]
pub(crate) fn tells_of_waits() -> bool {
    let mut tells = false;
    tell(|| tells = tracing::enabled!(target: TARGET, tracing::Level::DEBUG));
    tells
}

/// Tells that a call is admitted after waiting.
pub(crate) fn tell_admitted<'a>(
    limiter: impl FnOnce() -> &'a str,
    waited: impl FnOnce() -> Duration,
) {
    tell(|| {
        tracing::debug!(target: TARGET, limiter = limiter(), waited = ?waited(), "call is admitted");
    });
}

/// Tells of a fault in a limiter's configuration.
pub(crate) fn tell_warning(limiter: &str, is_error: bool, text: &str) {
    tell(|| {
        if is_error {
            tracing::error!(target: TARGET, limiter, "{text}");
        } else {
            tracing::warn!(target: TARGET, limiter, "{text}");
        }
    });
}

/// Does nothing: the log has the limiter's warning already. Without the feature it goes to stderr.
pub(crate) fn tell_of_fleet(_: &str, _: &str) {}

/// Emits an event, unless this thread is emitting one already.
///
/// A subscriber is foreign code. If it calls a limited function while it handles an event, that call
/// emits nothing. Otherwise each event would cause the next one, without end.
#[inline]
pub(crate) fn tell(event: impl FnOnce()) {
    /// Resets the flag, also if the subscriber panics.
    struct Telling;
    impl Drop for Telling {
        fn drop(&mut self) {
            TELLING.set(false);
        }
    }

    if !TELLING.replace(true) {
        let _done = Telling;
        event();
    }
}
