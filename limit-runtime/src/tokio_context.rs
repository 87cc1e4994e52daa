//! Checks of the thread's tokio context. Each panic names the limiter, which tokio's own does not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Returns the runtime of this thread, which an option or a method of the limiter needs.
///
/// # Panics
///
/// Outside a runtime.
#[track_caller]
pub(crate) fn needed_runtime(needed_for: &str, limiter: &str) -> Handle {
    Handle::try_current().unwrap_or_else(|_| panic_outside(needed_for, limiter))
}

/// Panics because `needed_for` was used outside a runtime.
#[cold]
#[track_caller]
pub(crate) fn panic_outside(needed_for: &str, limiter: &str) -> ! {
    panic!(
        "`{needed_for}` of concurrency limit `{limiter}` needs a tokio runtime, and this call is \
         polled outside one: poll it in a task, in `Runtime::block_on`, or under `Handle::enter`"
    )
}

/// Checks that the thread may block. `method` is what blocks it, and `instead` what async code awaits.
///
/// # Panics
///
/// If the thread drives a runtime. Tokio alone knows that, and tells it by a panic of its own.
#[track_caller]
pub(crate) fn assert_may_block(method: &str, limiter: &str, instead: &str) {
    let (sender, receiver) = oneshot::channel();
    // The value is there, so this only makes tokio's check.
    sender.send(()).expect("the receiver is here");
    let check = catch_unwind(AssertUnwindSafe(|| drop(receiver.blocking_recv())));
    assert!(
        check.is_ok(),
        "`{method}` of concurrency limit `{limiter}` would block the runtime that this thread drives: write \
         `{instead}.await`, or call it in `spawn_blocking`"
    );
}
