//! The stream of what the futures give.

use super::start::Start;
use crate::unwind::quietly;
use futures_util::stream::{FusedStream, FuturesOrdered, FuturesUnordered, Stream};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The futures that are under way, and the outputs that wait for their turn.
pub trait Running<R: Future>: Default {
    fn len(&self) -> usize;
    fn push(&mut self, running: R);
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<R::Output>>;
}

impl<R: Future> Running<R> for FuturesOrdered<R> {
    fn len(&self) -> usize {
        self.len()
    }

    fn push(&mut self, running: R) {
        self.push_back(running);
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<R::Output>> {
        Stream::poll_next(Pin::new(self), context)
    }
}

impl<R: Future> Running<R> for FuturesUnordered<R> {
    fn len(&self) -> usize {
        self.len()
    }

    fn push(&mut self, running: R) {
        Self::push(self, running);
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<R::Output>> {
        Stream::poll_next(Pin::new(self), context)
    }
}

pin_project! {
    /// The outputs of futures that are made of items: a [`Stream`]. See [`map`](super::map).
    ///
    /// When a future panics, so does polling this, and also when the iterator or the closure does; the
    /// other futures are cancelled and it has ended.
    #[must_use = "streams do nothing unless polled"]
    pub struct Results<S, N, F, Q> {
        #[pin]
        items: S,
        ended: bool,
        start: N,
        future_of: F,
        running: Q,
    }
}

impl<S, N, F, Q: Default> Results<S, N, F, Q> {
    pub(super) fn new(items: S, start: N, future_of: F) -> Self {
        Self { items, ended: false, start, future_of, running: Q::default() }
    }
}

/// Cancels what runs, if it is dropped before it is let go: by a panic.
struct UnlessPanicked<'a, Q: Default> {
    running: &'a mut Q,
    ended: &'a mut bool,
}

impl<Q: Default> Drop for UnlessPanicked<'_, Q> {
    fn drop(&mut self) {
        *self.ended = true;
        let running = mem::take(self.running);
        quietly(|| drop(running));
    }
}

impl<S, N, F, G, Q> Stream for Results<S, N, F, Q>
where
    S: Stream,
    N: Start<G>,
    F: FnMut(S::Item) -> G,
    Q: Running<N::Running>,
{
    type Item = <N::Running as Future>::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let now = UnlessPanicked { running: this.running, ended: this.ended };
        // Before an output is given, so that while the consumer works on it others are under way.
        // What is under way or waits for its turn was pulled and not given: no more than the bound.
        while !*now.ended {
            if now.running.len() >= this.start.at_most() {
                // Ready: look again.
                if this.start.poll_changed(context).is_pending() {
                    break;
                }
                continue;
            }
            match this.items.as_mut().poll_next(context) {
                Poll::Ready(Some(item)) => {
                    now.running.push(this.start.start((this.future_of)(item)));
                }
                Poll::Ready(None) => *now.ended = true,
                Poll::Pending => break,
            }
        }
        let output = now.running.poll_next(context);
        let has_ended = *now.ended;
        mem::forget(now);
        match ready!(output) {
            None if !has_ended => Poll::Pending,
            output => Poll::Ready(output),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let running = self.running.len();
        let (least, most) = if self.ended { (0, Some(0)) } else { self.items.size_hint() };
        (least.saturating_add(running), most.and_then(|most| most.checked_add(running)))
    }
}

impl<S, N, F, G, Q> FusedStream for Results<S, N, F, Q>
where
    S: Stream,
    N: Start<G>,
    F: FnMut(S::Item) -> G,
    Q: Running<N::Running>,
{
    fn is_terminated(&self) -> bool {
        self.ended && self.running.len() == 0
    }
}

impl<S, N, F, Q> fmt::Debug for Results<S, N, F, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("ended", &self.ended).finish_non_exhaustive()
    }
}

pin_project! {
    /// Results up to and with the first error, at which the futures that run are cancelled: a
    /// [`Stream`]. See [`try_map`](super::try_map).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct UntilError<S> {
        #[pin]
        results: Option<S>,
    }
}

impl<S> UntilError<S> {
    pub(super) fn new(results: S) -> Self {
        Self { results: Some(results) }
    }
}

impl<T, E, S: Stream<Item = Result<T, E>>> Stream for UntilError<S> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(results) = this.results.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let result = ready!(results.poll_next(context));
        if !matches!(result, Some(Ok(_))) {
            // What panics as it is cancelled does not take the error along.
            quietly(|| this.results.set(None));
        }
        Poll::Ready(result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = self.results.as_ref().map_or(Some(0), |results| results.size_hint().1);
        (0, most)
    }
}

impl<T, E, S: FusedStream<Item = Result<T, E>>> FusedStream for UntilError<S> {
    fn is_terminated(&self) -> bool {
        self.results.as_ref().is_none_or(FusedStream::is_terminated)
    }
}
