//! Foreign code that panics while something is owed: to the task whose output it is, to those who wait.
//!
//! A future, its output, a waker and a subscriber of `tracing` are all a user's, and each may panic when
//! it is polled, dropped, woken or told. What a panic must not take along is given up here one by one.
//! The panic that goes on is the first one of the call itself. Others end here, as tokio has it for
//! wakers and for what an aborted task drops: the panic hook has reported them.

#[cfg(any(feature = "task", feature = "tower"))]
mod owed;

#[cfg(any(feature = "task", feature = "tower"))]
pub(crate) use owed::poll_to_end;
use std::any::Any;
use std::fmt;
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
pub(crate) fn run_all_then_resume_panic<T>(all: impl IntoIterator<Item = T>, serve: impl Fn(T)) {
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

/// A value whose `Drop` calls foreign code, such as the waker that a permit's return wakes. A panic of
/// that ends here, also while another one unwinds. (Public in name only: a sealed trait has it.)
#[cfg_attr(not(feature = "tower"), expect(unreachable_pub, reason = "it is, by the feature"))]
pub struct Quiet<T>(Option<T>);

impl<T> Quiet<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    #[cfg(feature = "tower")]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("only a drop takes it")
    }

    #[cfg(feature = "http-body")]
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> Quiet<U> {
        Quiet::new(map(self.into_inner()))
    }

    /// The value, which may panic again when it is dropped.
    #[cfg(feature = "tower")]
    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().expect("only a drop takes it")
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
