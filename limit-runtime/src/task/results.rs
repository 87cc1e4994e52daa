//! The stream of the futures' outputs.

use crate::unwind::quietly;
use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, Stream, StreamExt};
use pin_project_lite::pin_project;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The outputs of futures that are made of items: a [`Stream`].
    ///
    /// If the items, the function `start` or a future panics, so does the poll. The stream has
    /// ended then, and the other futures are dropped.
    #[must_use = "streams do nothing unless polled"]
    pub(super) struct Results<S, B, F, Q> {
        #[pin]
        items: S,
        ended: bool,
        // Ready if one more future may run beside so many.
        poll_room: B,
        // Makes a running future of an item.
        start: F,
        // The running futures, and the outputs that wait for their turn.
        running: Q,
    }
}

impl<S, B, F, Q: Default> Results<S, B, F, Q> {
    pub(super) fn new(items: S, poll_room: B, start: F) -> Self {
        Self { items, ended: false, poll_room, start, running: Q::default() }
    }
}

/// Drops the running futures when it is dropped, which a panic does. Without a panic it is
/// forgotten.
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

impl<S, B, F, R, Q> Stream for Results<S, B, F, Q>
where
    S: Stream,
    B: FnMut(usize, &mut Context<'_>) -> Poll<()>,
    F: FnMut(S::Item) -> R,
    R: Future,
    Q: Stream<Item = R::Output> + Extend<R> + Default + Unpin,
{
    type Item = R::Output;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<R::Output>> {
        let mut this = self.project();
        let now = UnlessPanicked { running: this.running, ended: this.ended };
        // Futures start before an output is given, so that they run while the consumer works on it.
        // The set holds every item that was pulled and not given: no more than the limit.
        while !*now.ended {
            let running = now.running.size_hint().0;
            if (this.poll_room)(running, context).is_pending() {
                break;
            }
            match this.items.as_mut().poll_next(context) {
                Poll::Ready(Some(item)) => now.running.extend([(this.start)(item)]),
                Poll::Ready(None) => *now.ended = true,
                Poll::Pending => break,
            }
        }
        let output = now.running.poll_next_unpin(context);
        let has_ended = *now.ended;
        mem::forget(now);
        match ready!(output) {
            None if !has_ended => Poll::Pending,
            output => Poll::Ready(output),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // The sets of futures-util say exactly how many futures and outputs they hold.
        let running = self.running.size_hint().0;
        let (least, most) = if self.ended { (0, Some(0)) } else { self.items.size_hint() };
        (least.saturating_add(running), most.and_then(|most| most.checked_add(running)))
    }
}

/// Returns a function that is ready while fewer than `limit` futures run.
pub(super) fn below(limit: usize) -> impl FnMut(usize, &mut Context<'_>) -> Poll<()> {
    // No waker is needed: `Results` asks again whenever an output is ready.
    move |running, _| if running < limit { Poll::Ready(()) } else { Poll::Pending }
}

/// Runs `start` on each future, at most `limit` at a time, and gives the outputs, each with the
/// index of its future.
fn with_index<S, F, R>(
    limit: usize,
    futures: S,
    start: impl Fn(F) -> R,
) -> impl Stream<Item = (usize, R::Output)>
where
    S: Stream<Item = F>,
    R: Future,
{
    let start = move |(index, future)| start(future).map(move |output| (index, output));
    Results::<_, _, _, FuturesUnordered<_>>::new(futures.enumerate(), below(limit), start)
}

/// Runs `start` on each future, at most `limit` at a time, and gives the outputs in the order of
/// the futures.
pub(super) fn in_order<T, S, F, R>(
    limit: usize,
    futures: S,
    start: impl Fn(F) -> R,
) -> impl Future<Output = Vec<T>>
where
    S: Stream<Item = F>,
    R: Future<Output = T>,
{
    with_index(limit, futures, start).collect().map(sorted)
}

/// Runs `start` on each future, at most `limit` at a time, and gives the values in the order of the
/// futures, or the first error.
pub(super) fn in_order_or_error<T, E, S, F, R>(
    limit: usize,
    futures: S,
    start: impl Fn(F) -> R,
) -> impl Future<Output = Result<Vec<T>, E>>
where
    S: Stream<Item = F>,
    R: Future<Output = Result<T, E>>,
{
    let results = with_index(limit, futures, start)
        .map(|(index, result)| result.map(|output| (index, output)));
    UntilError::new(results).collect().map(|results: Vec<_>| {
        let mut outputs = Vec::with_capacity(results.len());
        for result in results {
            match result {
                Ok(output) => outputs.push(output),
                Err(error) => {
                    // An output that panics as it is dropped does not take the error along.
                    for output in outputs {
                        quietly(|| drop(output));
                    }
                    return Err(error);
                }
            }
        }
        Ok(sorted(outputs))
    })
}

/// Sorts outputs by their index, and drops the index.
fn sorted<T>(mut outputs: Vec<(usize, T)>) -> Vec<T> {
    outputs.sort_unstable_by_key(|&(index, _)| index);
    outputs.into_iter().map(|(_, output)| output).collect()
}

pin_project! {
    /// Results up to and with the first error, which drops the running futures: a [`Stream`].
    #[must_use = "streams do nothing unless polled"]
    pub(super) struct UntilError<S> {
        // Nothing, when the stream has ended.
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
            // A future that panics as it is dropped does not take the error along.
            quietly(|| this.results.set(None));
        }
        Poll::Ready(result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let most = self.results.as_ref().map_or(Some(0), |results| results.size_hint().1);
        (0, most)
    }
}
