//! What is owed to a task or to a caller when a user's future or value panics.

use super::{Panic, quietly};
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
