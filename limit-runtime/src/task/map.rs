//! A future for each item, so many at a time.

use super::results::{Results, UntilError};
use super::start::Spawned;
use futures_util::stream::{FuturesOrdered, FuturesUnordered, Stream};
use std::fmt;
use std::future::Future;

/// What [`map`](super::map) gives: say in which order the outputs are wanted.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct Map<S, F> {
    pub(super) limit: usize,
    pub(super) items: S,
    pub(super) future_of: F,
}

impl<S, F, G> Map<S, F>
where
    S: Stream,
    F: FnMut(S::Item) -> G,
    G: Future<Output: Send + 'static> + Send + 'static,
{
    /// The outputs in the order of the items.
    ///
    /// One that is slow holds those behind it back, and when as many wait for it as the limit says, no
    /// more are started: so it is never more than that ahead.
    pub fn ordered(self) -> impl Stream<Item = G::Output> {
        Results::<_, _, _, FuturesOrdered<_>>::new(
            self.items,
            Spawned { limit: self.limit },
            self.future_of,
        )
    }

    /// The outputs when they are there. Those that are when the consumer asks come in any order.
    pub fn unordered(self) -> impl Stream<Item = G::Output> {
        Results::<_, _, _, FuturesUnordered<_>>::new(
            self.items,
            Spawned { limit: self.limit },
            self.future_of,
        )
    }
}

impl<S, F> fmt::Debug for Map<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What [`try_map`](super::try_map) gives: say in which order the outputs are wanted.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct TryMap<S, F>(pub(super) Map<S, F>);

impl<S, F, G, T, E> TryMap<S, F>
where
    S: Stream,
    F: FnMut(S::Item) -> G,
    G: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// The outputs in the order of the items, up to and with the first error in that order.
    pub fn ordered(self) -> impl Stream<Item = Result<T, E>> {
        UntilError::new(self.0.ordered())
    }

    /// The outputs when they are there, up to and with the first error.
    pub fn unordered(self) -> impl Stream<Item = Result<T, E>> {
        UntilError::new(self.0.unordered())
    }
}

impl<S, F> fmt::Debug for TryMap<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryMap").field("limit", &self.0.limit).finish_non_exhaustive()
    }
}
