//! Events of `tracing`.

use std::cell::Cell;

thread_local! {
    /// Whether this thread is telling an event.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Tells an event, unless this thread is telling one already.
///
/// A subscriber is foreign code. If it calls a limited function while it handles an event, that call
/// tells nothing: each event would bring about the next one, without end.
#[inline]
pub(crate) fn tell(event: impl FnOnce()) {
    /// Done, also if the subscriber panics.
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            TELLING.set(false);
        }
    }

    if !TELLING.replace(true) {
        let _done = Done;
        event();
    }
}
