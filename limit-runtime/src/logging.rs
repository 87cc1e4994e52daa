//! Events of `tracing`.

use std::cell::Cell;

/// The target of all events. It is part of the public interface.
pub(crate) const TARGET: &str = "limit_runtime";

thread_local! {
    /// True while this thread emits an event.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

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
