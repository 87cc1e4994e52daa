//! Futures of users that may panic, polled for a task or a caller that must get its permit back.

use super::{Panic, quietly};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls a future, and drops it when it is ready or has panicked. An error is the first panic, of its
/// poll or of its drop. The caller gives back what it holds before it resumes that.
pub(crate) fn poll_to_end<F: Future>(
    mut future: Pin<&mut Option<F>>,
    context: &mut Context<'_>,
) -> Poll<Result<F::Output, Panic>> {
    let running = future.as_mut().as_pin_mut().expect("not polled after it was ready");
    // The future is not looked at after a panic: it is dropped.
    let result = match catch_unwind(AssertUnwindSafe(|| running.poll(context))) {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(output)) => Ok(output),
        Err(panic) => Err(panic),
    };
    let dropped = catch_unwind(AssertUnwindSafe(|| future.set(None)));
    Poll::Ready(match (result, dropped) {
        (result, Ok(())) => result,
        // Both are the user's values: a panic of one's drop must not keep the other from being
        // dropped.
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
