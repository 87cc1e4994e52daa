//! A future for each item, at most `limit` at a time.

use super::results::{Results, UntilError, below};
use super::spawned::Spawned;
use futures_util::stream::{FuturesOrdered, FuturesUnordered, Stream};
use std::fmt;
use std::future::Future;

/// The items and the function of [`map`](super::map). Choose the order of the outputs to get a
/// stream.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct Map<S, F> {
    pub(super) limit: usize,
    pub(super) items: S,
    pub(super) future_of: F,
}

impl<S, F, I, G, T> Map<S, F>
where
    S: Stream<Item = I>,
    F: FnMut(I) -> G,
    G: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    /// Gives the outputs in the order of the items.
    ///
    /// A slow future holds back the outputs behind it. An output that waits counts against the
    /// limit, so the stream is never more than `limit` items ahead.
    pub fn ordered(self) -> impl Stream<Item = T> {
        let Self { limit, items, mut future_of } = self;
        let start = move |item| Spawned::new(future_of(item));
        Results::<_, _, _, FuturesOrdered<_>>::new(items, below(limit), start)
    }

    /// Gives the outputs as they are ready. Several that are ready at the same time come in any
    /// order.
    pub fn unordered(self) -> impl Stream<Item = T> {
        let Self { limit, items, mut future_of } = self;
        let start = move |item| Spawned::new(future_of(item));
        Results::<_, _, _, FuturesUnordered<_>>::new(items, below(limit), start)
    }
}

impl<S, F> fmt::Debug for Map<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The items and the function of [`try_map`](super::try_map). Choose the order of the outputs to
/// get a stream.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct TryMap<S, F>(pub(super) Map<S, F>);

impl<S, F, I, G, T, E> TryMap<S, F>
where
    S: Stream<Item = I>,
    F: FnMut(I) -> G,
    G: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// Gives the results in the order of the items, up to and with the first error in that order.
    pub fn ordered(self) -> impl Stream<Item = Result<T, E>> {
        UntilError::new(self.0.ordered())
    }

    /// Gives the results as they are ready, up to and with the first error.
    pub fn unordered(self) -> impl Stream<Item = Result<T, E>> {
        UntilError::new(self.0.unordered())
    }
}

impl<S, F> fmt::Debug for TryMap<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryMap").field("limit", &self.0.limit).finish_non_exhaustive()
    }
}
