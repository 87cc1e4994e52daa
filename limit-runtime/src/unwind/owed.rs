//! What is owed to a task or to a caller when a user's future or value panics.

use super::{Panic, quietly};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls a future, and drops it when it is ready or has panicked. An error is the first panic, of its
/// poll or of its drop: what is owed is given back before that goes on.
pub(crate) fn poll_to_end<F: Future>(
    mut future: Pin<&mut Option<F>>,
    context: &mut Context<'_>,
) -> Poll<Result<F::Output, Panic>> {
    let running = future.as_mut().as_pin_mut().expect("not polled after it was ready");
    // What is caught is not looked at but passed on, and the future is dropped.
    let result = match catch_unwind(AssertUnwindSafe(|| running.poll(context))) {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(output)) => Ok(output),
        Err(panic) => Err(panic),
    };
    let dropped = catch_unwind(AssertUnwindSafe(|| future.set(None)));
    Poll::Ready(match (result, dropped) {
        (result, Ok(())) => result,
        // Two values of the user's, of which neither's drop is to take the other along.
        (Ok(output), Err(panic)) => {
            quietly(|| drop(output));
            Err(panic)
        }
        (Err(panic), Err(second)) => {
            quietly(|| drop(second));
            Err(panic)
        }
    })
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
