//! Calls of foreign code that may panic, while others depend on the work after it.
//!
//! A future, its output, a waker and a subscriber of `tracing` are a user's values. Each may panic
//! when it is polled, dropped, woken or called. This module keeps such a panic from taking along what
//! others wait for. The first panic of the call itself goes on. Other panics end here, as tokio does
//! it for wakers and for the values of an aborted task: the panic hook has reported them.

#[cfg(any(feature = "task", feature = "tower"))]
mod owed;
#[cfg(any(feature = "task", feature = "tower"))]
mod quiet;

#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) use owed::poll_to_end;
use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// The payload of a panic.
pub(crate) type Panic = Box<dyn Any + Send>;

/// Calls foreign code, and ends a panic of it.
pub(crate) fn quietly(call: impl FnOnce()) {
    // The values that the call may have left half-changed are dropped, or have been given up already.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
        end(panic);
    }
}

/// Ends a panic. Its payload is a user's value too, and may panic when it is dropped.
pub(crate) fn end(panic: Panic) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        mem::forget(again);
    }
}

/// Runs `serve` on every item even if some panic, then resumes the first panic. Does not resume it if
/// the thread is unwinding already.
pub(crate) fn run_all_then_resume_panic<T>(all: impl IntoIterator<Item = T>, serve: impl Fn(T)) {
    let mut panicked = None;
    for item in all {
        match catch_unwind(AssertUnwindSafe(|| serve(item))) {
            Ok(()) => {}
            Err(panic) if panicked.is_none() => panicked = Some(panic),
            Err(panic) => end(panic),
        }
    }
    if let Some(panic) = panicked {
        if thread::panicking() {
            // The hook has reported it. A panic in the midst of another would end the process.
            end(panic);
        } else {
            resume_unwind(panic);
        }
    }
}

/// A value whose `Drop` calls foreign code, such as the waker that a permit's release wakes. A panic
/// of that ends here, also while another one unwinds. It is public in name only: a sealed trait uses
/// it.
#[cfg_attr(not(feature = "tower"), expect(unreachable_pub, reason = "it is, by the feature"))]
pub struct Quiet<T>(Option<T>);

impl<T> Quiet<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Drop for Quiet<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        quietly(|| drop(value));
    }
}

impl<T: fmt::Debug> fmt::Debug for Quiet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
