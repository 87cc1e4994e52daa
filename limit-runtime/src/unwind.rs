//! Foreign code that panics while something is owed: to the task whose output it is, to those who wait.
//!
//! A future, its output, a waker and a subscriber of `tracing` are all a user's, and each may panic when
//! it is polled, dropped, woken or told. What a panic must not take along is given up here one by one.
//! The panic that goes on is the first one of the call itself. Others end here, as tokio has it for
//! wakers and for what an aborted task drops: the panic hook has reported them.

#[cfg(any(feature = "task", feature = "tower"))]
mod owed;

#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) use owed::{Quiet, poll_to_end};
use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// What a panic carries.
pub(crate) type Panic = Box<dyn Any + Send>;

/// Calls foreign code, of which a panic ends here.
pub(crate) fn quietly(call: impl FnOnce()) {
    // What was broken in the middle is not looked at again: it is dropped, or given up already.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
        end(panic);
    }
}

/// A panic ends here. What it carries is a user's value as well, which may panic when it is dropped.
pub(crate) fn end(panic: Panic) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        mem::forget(again);
    }
}

/// Does something with each that may call foreign code: also if that panics, for the others are to be
/// served. The first panic goes on when all are, unless the thread is unwinding already.
pub(crate) fn serve_each<T>(all: impl IntoIterator<Item = T>, serve: impl Fn(T)) {
    let mut panicked = None;
    for one in all {
        match catch_unwind(AssertUnwindSafe(|| serve(one))) {
            Ok(()) => {}
            Err(panic) if panicked.is_none() => panicked = Some(panic),
            Err(panic) => end(panic),
        }
    }
    if let Some(panic) = panicked {
        if thread::panicking() {
            // The hook has told of it. To go on with it in the midst of another would end the process.
            end(panic);
        } else {
            resume_unwind(panic);
        }
    }
}
