//! The items of a stream under a limiter that other calls use too.

use super::results::Results;
use super::spawned::Spawned;
use crate::acquire::run::ThenRun;
use crate::admission::Admission;
use crate::keying::InShare;
use crate::limiter::SharedLimiter;
use crate::recorder::CallSite;
use futures_util::future::{FutureExt, Map};
use futures_util::stream::{FuturesOrdered, FuturesUnordered, Stream};
use std::fmt;
use std::future::Future;
use std::task::{Context, Poll, ready};

/// Adds [`map_limited`](Self::map_limited) to every stream, as [`StreamExt`](super::StreamExt) adds
/// other methods.
pub trait LimitStreamExt: Stream + Sized {
    /// Runs a future for each item, as [`task::map`](super::map) does, under an existing limiter:
    /// each future runs as a task with a permit of the limiter.
    ///
    /// The permits are shared with all other users of the limiter, first come, first served. The
    /// stream never has more items pulled ahead than the limit at that moment, and follows a change
    /// of the limit while it runs. (At limit 0 one item waits for the limit to be raised.)
    /// `limiter` is `&STATIC`, an `Arc<Limiter>` or a limiter of its own: see [`SharedLimiter`].
    ///
    /// If the limiter can refuse calls, each output is a `Result`. In asyncio: the loop that
    /// [`map`](super::map) stands for, with a semaphore that other tasks use too.
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
        let site = CallSite::caller().of_polled();
        MapLimited { limiter: limiter.into(), share: None, site, items: self, future_of }
    }
}

impl<S: Stream> LimitStreamExt for S {}

/// The items, the limiter and the function of [`map_limited`](LimitStreamExt::map_limited). Choose
/// the order of the outputs to get a stream.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct MapLimited<S, E: Admission, F> {
    limiter: SharedLimiter<E>,
    share: Option<InShare>,
    site: CallSite,
    items: S,
    future_of: F,
}

impl<S, E: Admission, F> MapLimited<S, E, F> {
    /// Says to which [share](crate::Limiter::shares) of the limiter's permits the tasks belong. With a name that the
    /// limiter does not have, they belong to the `rest`, as with [`Limiter::share`](crate::Limiter::share).
    ///
    /// Use this when the stream is work in bulk under a limiter that others use too, who are not to wait for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::task::{LimitStreamExt, StreamExt};
    /// use limit_runtime::{Limiter, Share};
    ///
    /// static DB: Limiter = Limiter::new("map-limited-share", 4)
    ///     .shares(&[Share::new("live", 50).reserved(), Share::new("batch", 50)]);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # use futures_util::stream;
    /// let rows = stream::iter(1..=8).map_limited(&DB, async |_| DB.snapshot().shares[1].in_use);
    /// let in_use: Vec<_> = rows.share("batch").unordered().collect().await;
    /// assert!(in_use.iter().all(|&batch| (1..=2).contains(&batch)), "{in_use:?}"); // two are reserved
    /// # }
    /// ```
    pub fn share(mut self, name: &str) -> Self {
        self.share = Some(self.limiter.find_share(name));
        self
    }
}

impl<S, E, F, I, G, T> MapLimited<S, E, F>
where
    S: Stream<Item = I>,
    E: Admission,
    F: FnMut(I) -> G,
    G: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    /// Gives the outputs in the order of the items. A slow future holds back the outputs behind it.
    pub fn ordered(self) -> impl Stream<Item = E::Outcome<T>> {
        let Self { limiter, share, site, items, future_of } = self;
        let poll_room = below_limit_of(limiter.clone());
        let start = spawn_under(limiter, share, site, future_of);
        Results::<_, _, _, FuturesOrdered<_>>::new(items, poll_room, start)
    }

    /// Gives the outputs as they are ready.
    pub fn unordered(self) -> impl Stream<Item = E::Outcome<T>> {
        let Self { limiter, share, site, items, future_of } = self;
        let poll_room = below_limit_of(limiter.clone());
        let start = spawn_under(limiter, share, site, future_of);
        Results::<_, _, _, FuturesUnordered<_>>::new(items, poll_room, start)
    }
}

/// Returns a function that is ready while fewer futures run than the limiter's limit at that
/// moment.
fn below_limit_of<E: Admission>(
    limiter: SharedLimiter<E>,
) -> impl FnMut(usize, &mut Context<'_>) -> Poll<()> {
    let mut changes = limiter.changes();
    move |running, context| {
        loop {
            // At least one, so that at limit 0 a call waits for the limit to be raised.
            if running < limiter.needed_limit().max(1) {
                return Poll::Ready(());
            }
            ready!(changes.poll(context));
        }
    }
}

/// A task whose result becomes the outcome of a call.
type LimitedTask<T, E> =
    Map<Spawned<Result<T, E>>, fn(Result<T, E>) -> <E as Admission>::Outcome<T>>;

/// Returns a function that spawns a future for an item, as a task that waits for its permit.
///
/// The task waits, and not the stream: a call that is handed its permit while the consumer of the
/// stream is busy would keep the permit from everybody else.
fn spawn_under<E, I, F, G, T>(
    limiter: SharedLimiter<E>,
    share: Option<InShare>,
    site: CallSite,
    mut future_of: F,
) -> impl FnMut(I) -> LimitedTask<T, E>
where
    E: Admission,
    F: FnMut(I) -> G,
    G: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    move |item| {
        let task = ThenRun::new(limiter.acquire_shared(share, site), future_of(item));
        // Outside the task, because the compiler does not know that `E::Outcome<T>` is `Send`.
        Spawned::new(task).map(E::outcome)
    }
}

impl<S, E: Admission, F> fmt::Debug for MapLimited<S, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapLimited").field("limiter", &self.limiter).finish_non_exhaustive()
    }
}
