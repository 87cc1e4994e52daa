//! A future among others, to which its drop does no harm.

use crate::unwind::{poll_to_end, quietly};
use pin_project_lite::pin_project;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A future whose panic, when it is dropped before its end, is no other future's business: a set of
    /// them is dropped to the last one.
    #[derive(Debug)]
    pub struct Whole<F> {
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Whole<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut future = this.project().future;
            quietly(|| future.set(None));
        }
    }
}

impl<F> Whole<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future: Some(future) }
    }
}

impl<F: Future> Future for Whole<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match ready!(poll_to_end(self.project().future, context)) {
            Ok(output) => Poll::Ready(output),
            Err(panic) => resume_unwind(panic),
        }
    }
}
