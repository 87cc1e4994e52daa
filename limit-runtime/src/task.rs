//! Tasks in bulk: many futures, so many of them at a time.
//!
//! | here | in asyncio | what it does |
//! |---|---|---|
//! | [`gather`] | `gather` over functions that take a semaphore | all outputs, in the order of the input |
//! | [`as_completed`] | `as_completed` | the outputs as they come |
//! | [`map`] | a loop over `create_task` and `wait`; `Pool.imap` | a future for each item, items pulled as there is room |
//! | [`Pool`] | `TaskGroup` with a semaphore; a queue and workers | tasks that are spawned one by one |
//! | [`LimitStreamExt`] | the same, with a semaphore that others use too | a stream's items under a [`Limiter`](crate::Limiter) |
//! | [`Limiter::run`](crate::Limiter::run), [`spawn`](crate::Limiter::spawn) | `async with semaphore` | one future under a limiter |
//!
//! The functions take a number, and nothing else knows of the limit: it is for this one call. The
//! futures run as **tasks** of tokio: they go on while whoever called works on an output, and on other
//! threads. When the future or stream that a function gave is dropped, its tasks are cancelled (each
//! stops where it next awaits); when one panics, so does whoever polls for its output, and the others
//! are cancelled. For futures that are not `Send`, or that borrow, there is [`local`].
//!
//! Items come from an iterator or a stream ([`Items`]), which may be endless: no more are pulled than
//! there are places, and an output that is not taken yet keeps its place. So at no time is it more
//! than `limit` items ahead of its consumer.
//!
//! The `try_` forms are for futures that give a `Result`: they stop at the first error and cancel the
//! rest, as asyncio's `TaskGroup`.
//!
//! Needs the feature `task`.
//!
//! # Panics
//!
//! All functions with a limit panic at once if it is 0: nothing would ever run. Where no tokio runtime
//! is, the first poll panics ([`local`]'s do not).
//!
//! # Examples
//!
//! ```
//! use limit_runtime::task::{self, StreamExt};
//!
//! async fn fetch(page: u32) -> Result<String, std::io::Error> {
//!     # tokio::task::yield_now().await;
//!     Ok(format!("page {page}"))
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), std::io::Error> {
//!
//! let five = task::try_gather(3, (1..=5).map(fetch)).await?;
//! assert_eq!(five.concat(), "page 1page 2page 3page 4page 5");
//!
//! // An endless iterator: no more than three pages are fetched ahead.
//! let mut pages = task::try_map(3, 1.., fetch).ordered();
//! while let Some(page) = pages.next().await {
//!     if page?.ends_with("30") {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod in_order;
mod items;
mod limited;
pub mod local;
mod map;
mod pool;
mod results;
mod start;

#[doc(no_inline)]
pub use futures_util::stream::{Stream, StreamExt};
pub use items::{Items, OfIterator, OfStream};
pub use limited::{LimitStreamExt, MapLimited};
pub use map::{Map, TryMap};
pub use pool::{OnDrop, Panicked, Pool};

use futures_util::future::{FutureExt, TryFutureExt};
use in_order::{in_order, try_in_order};
use std::future::Future;

/// Runs all futures, at most `limit` at a time, and gives their outputs in the order of the input.
///
/// In asyncio: `gather(*futures)`, of functions that take a semaphore each. Other than there, the
/// futures are pulled from the iterator when there is room, so that a long list of them need not be
/// there at once.
///
/// # Cancel safety
///
/// Dropping it cancels the futures that run. Outputs that are there already are lost.
///
/// # Panics
///
/// If `limit` is 0; outside a tokio runtime; if a future does.
///
/// # Examples
///
/// ```
/// use limit_runtime::task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let squares = task::gather(3, (0..5).map(async |n| n * n)).await;
/// assert_eq!(squares, [0, 1, 4, 9, 16]);
/// # }
/// ```
#[track_caller]
pub fn gather<I, Kind>(
    limit: usize,
    futures: I,
) -> impl Future<Output = Vec<<I::Item as Future>::Output>>
where
    I: Items<Kind, Item: Future<Output: Send + 'static> + Send + 'static>,
{
    let numbered = futures.into_stream().enumerate();
    let future_of = |(place, future): (usize, I::Item)| future.map(move |output| (place, output));
    in_order(map(limit, numbered, future_of).unordered())
}

/// Runs all futures, at most `limit` at a time, until the first error, and gives their values in the
/// order of the input.
///
/// At the error, the first in time, the futures that run are cancelled and no more are pulled. In
/// asyncio: a `TaskGroup`.
///
/// # Errors
///
/// The first error of a future.
///
/// # Cancel safety
///
/// As [`gather`].
///
/// # Panics
///
/// If `limit` is 0; outside a tokio runtime; if a future does.
///
/// # Examples
///
/// ```
/// use limit_runtime::task;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let numbers = ["1", "2", "three"].map(|word| async move { word.parse::<u8>() });
/// let error = task::try_gather(2, numbers).await.unwrap_err();
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// # }
/// ```
#[track_caller]
pub fn try_gather<I, Kind, T, E>(
    limit: usize,
    futures: I,
) -> impl Future<Output = Result<Vec<T>, E>>
where
    I: Items<Kind, Item: Future<Output = Result<T, E>> + Send + 'static>,
    T: Send + 'static,
    E: Send + 'static,
{
    let numbered = futures.into_stream().enumerate();
    let future_of =
        |(place, future): (usize, I::Item)| future.map_ok(move |output| (place, output));
    try_in_order(try_map(limit, numbered, future_of).unordered())
}

/// Runs all futures, at most `limit` at a time, and gives each one's output when it is there.
///
/// In asyncio: `as_completed(futures)`. Short for [`map`] with the futures themselves, unordered.
///
/// # Panics
///
/// If `limit` is 0. The stream: outside a tokio runtime; if a future does.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::{self, StreamExt};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let naps = [30, 10, 20].map(|time| async move {
///     tokio::time::sleep(Duration::from_millis(time)).await;
///     time
/// });
/// let woken: Vec<_> = task::as_completed(2, naps).collect().await;
/// assert_eq!(woken, [10, 30, 20]); // the third began when the second had ended
/// # }
/// ```
#[track_caller]
pub fn as_completed<I, Kind>(
    limit: usize,
    futures: I,
) -> impl Stream<Item = <I::Item as Future>::Output>
where
    I: Items<Kind, Item: Future<Output: Send + 'static> + Send + 'static>,
{
    map(limit, futures, |future| future).unordered()
}

/// As [`as_completed`], up to and with the first error; the futures that run are then cancelled.
///
/// # Panics
///
/// If `limit` is 0. The stream: outside a tokio runtime; if a future does.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::{self, StreamExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let numbers = ["1", "two", "3"].map(|word| async move { word.parse::<u8>() });
/// let results: Vec<_> = task::try_as_completed(1, numbers).collect().await;
/// assert_eq!(results.len(), 2);
/// assert_eq!(results[0], Ok(1));
/// assert!(results[1].is_err());
/// # }
/// ```
#[track_caller]
pub fn try_as_completed<I, Kind, T, E>(limit: usize, futures: I) -> impl Stream<Item = Result<T, E>>
where
    I: Items<Kind, Item: Future<Output = Result<T, E>> + Send + 'static>,
    T: Send + 'static,
    E: Send + 'static,
{
    try_map(limit, futures, |future| future).unordered()
}

/// A future for each item of an iterator or stream, at most `limit` at a time, as tasks.
///
/// Say what order is wanted: [`ordered`](Map::ordered) or [`unordered`](Map::unordered) give a
/// [`Stream`]. Items are pulled when it is polled and there is room: the items that were pulled and
/// whose outputs were not given are never more than `limit`. What was started goes on while the
/// consumer works on an output; new ones start when it asks for the next.
///
/// In asyncio: a loop that keeps a set of tasks full with `create_task` and `wait`; in
/// multiprocessing, `Pool.imap` and `imap_unordered`.
///
/// # Panics
///
/// If `limit` is 0. The stream: outside a tokio runtime; if the iterator, the closure or a future
/// does.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::{self, StreamExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let words = ["one", "two", "three"].into_iter().cycle(); // has no end
/// let lengths = task::map(2, words, async |word: &str| word.len());
/// let first: Vec<_> = lengths.ordered().take(4).collect().await;
/// assert_eq!(first, [3, 3, 5, 3]);
/// # }
/// ```
#[track_caller]
pub fn map<I, Kind, F, G>(limit: usize, items: I, future_of: F) -> Map<I::Stream, F>
where
    I: Items<Kind>,
    F: FnMut(I::Item) -> G,
    G: Future<Output: Send + 'static> + Send + 'static,
{
    Map { limit: at_least_one(limit), items: items.into_stream(), future_of }
}

/// As [`map`], for futures that give a `Result`: the stream ends after the first error, and the
/// futures that run are cancelled.
///
/// # Panics
///
/// As [`map`].
///
/// # Examples
///
/// See the [module](self).
#[track_caller]
pub fn try_map<I, Kind, F, G, T, E>(limit: usize, items: I, future_of: F) -> TryMap<I::Stream, F>
where
    I: Items<Kind>,
    F: FnMut(I::Item) -> G,
    G: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    TryMap(map(limit, items, future_of))
}

#[track_caller]
fn at_least_one(limit: usize) -> usize {
    assert!(limit > 0, "with a limit of 0 nothing would ever run: it is 1 at the least");
    limit
}
