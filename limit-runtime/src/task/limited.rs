//! A stream's items under a limiter that others use too.

use super::results::Results;
use super::start::Limited;
use crate::admission::Admission;
use crate::limiter::SharedLimiter;
use crate::recorder::CallSite;
use futures_util::stream::{FuturesOrdered, FuturesUnordered, Stream};
use std::fmt;
use std::future::Future;

/// Adds a limiter to streams, as [`StreamExt`](super::StreamExt) adds other things.
pub trait LimitStreamExt: Stream + Sized {
    /// As [`task::map`](super::map), under an existing limiter: `future_of` makes a future of each
    /// item, which runs as a task with a permit of the limiter.
    ///
    /// The permits are shared with all other users of the limiter, first come, first served, and a
    /// change of the limit is followed while the stream runs. It never has more items pulled ahead
    /// than the limit says at that moment. (At limit 0 one waits for it to be raised.) It takes
    /// `&STATIC`, an `Arc<Limiter>` or a limiter of its own: see [`SharedLimiter`].
    ///
    /// Of a limiter that can refuse calls each output is a `Result`. In asyncio: the loop that
    /// [`map`](super::map) stands for, with a semaphore that others use too.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use limit_runtime::task::{LimitStreamExt, StreamExt};
    ///
    /// static DB: Limiter = Limiter::new("map-limited", 2);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # use futures_util::stream;
    /// let squares = stream::iter(1..=4).map_limited(&DB, async |n| n * n);
    /// assert_eq!(squares.ordered().collect::<Vec<_>>().await, [1, 4, 9, 16]);
    /// assert_eq!(DB.snapshot().total.in_use, 0);
    /// # }
    /// ```
    #[track_caller]
    fn map_limited<E, F, G>(
        self,
        limiter: impl Into<SharedLimiter<E>>,
        future_of: F,
    ) -> MapLimited<Self, E, F>
    where
        E: Admission,
        F: FnMut(Self::Item) -> G,
        G: Future<Output: Send + 'static> + Send + 'static,
    {
        let limited = Limited::new(limiter.into(), CallSite::caller());
        MapLimited { limited, items: self, future_of }
    }
}

impl<S: Stream> LimitStreamExt for S {}

/// What [`map_limited`](LimitStreamExt::map_limited) gives: say in which order the outputs are wanted.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct MapLimited<S, E: Admission, F> {
    limited: Limited<E>,
    items: S,
    future_of: F,
}

impl<S, E, F, G> MapLimited<S, E, F>
where
    S: Stream,
    E: Admission,
    F: FnMut(S::Item) -> G,
    G: Future<Output: Send + 'static> + Send + 'static,
{
    /// The outputs in the order of the items. One that is slow holds those behind it back.
    pub fn ordered(self) -> impl Stream<Item = E::Outcome<G::Output>> {
        Results::<_, _, _, FuturesOrdered<_>>::new(self.items, self.limited, self.future_of)
    }

    /// The outputs when they are there.
    pub fn unordered(self) -> impl Stream<Item = E::Outcome<G::Output>> {
        Results::<_, _, _, FuturesUnordered<_>>::new(self.items, self.limited, self.future_of)
    }
}

impl<S, E: Admission, F> fmt::Debug for MapLimited<S, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapLimited")
            .field("limiter", self.limited.limiter())
            .finish_non_exhaustive()
    }
}
