//! A task whose output somebody waits for.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::task::JoinHandle;

/// A spawned task. Dropping this cancels the task, and a panic of the task goes on in the code that
/// polls this.
#[derive(Debug)]
pub(super) struct Spawned<T>(JoinHandle<T>);

impl<T: Send + 'static> Spawned<T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }
}

impl<T> Future for Spawned<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.0).poll(context)) {
            Ok(output) => Poll::Ready(output),
            Err(error) => resume_unwind(error.try_into_panic().unwrap_or_else(|error| {
                // Not with `panic!`, which would print the message: every program whose runtime is
                // shut down in the middle of its work ends here.
                Box::new(format!("the runtime was shut down before the task was done: {error}"))
            })),
        }
    }
}

impl<T> Drop for Spawned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
