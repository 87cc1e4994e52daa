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
//! stops where it next awaits); when one panics, so does whoever polls for its output, the others are
//! cancelled, and a stream has ended. For futures that are not `Send`, or that borrow, there is [`local`].
//!
//! Items come from an iterator or a stream ([`Items`]), which may be endless: no more are pulled than
//! there are places, and an output that is not taken yet keeps its place. So at no time is it more
//! than `limit` items ahead of its consumer.
//!
//! The `try_` forms are for futures that give a `Result`: they stop at the first error and cancel the
//! rest, as asyncio's `TaskGroup`.
//!
//! # What goes into a task
//!
//! A task outlives the function that spawns it, so its future owns what it uses. What several share is
//! cloned for each, before the `async` block:
//!
//! ```
//! use limit_runtime::task;
//! use std::sync::Arc;
//!
//! # struct Client;
//! # impl Client { async fn get(&self, id: u32) -> u32 { id } }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let client = Arc::new(Client);
//! let get = |id| {
//!     let client = Arc::clone(&client);
//!     async move { client.get(id).await }
//! };
//! assert_eq!(task::gather(3, (1..=4).map(get)).await, [1, 2, 3, 4]);
//!
//! // Or borrow it, without tasks:
//! assert_eq!(task::local::gather(3, (1..=4).map(|id| client.get(id))).await, [1, 2, 3, 4]);
//! # }
//! ```
//!
//! A function that spawns itself, as a crawler may, says that its future is `Send`, and boxes it:
//!
//! ```
//! use limit_runtime::task::Pool;
//! use std::pin::Pin;
//! use std::sync::Arc;
//!
//! fn crawl(pool: Arc<Pool>, depth: u32) -> Pin<Box<dyn Future<Output = ()> + Send>> {
//!     Box::pin(async move {
//!         for _link in 0..depth {
//!             let next = crawl(Arc::clone(&pool), depth - 1);
//!             // Not awaited in the pool itself: who waits for a place there while it holds one may
//!             // wait for itself.
//!             let pool = Arc::clone(&pool);
//!             tokio::spawn(async move { pool.spawn(next).await });
//!         }
//!     })
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { crawl(Arc::new(Pool::new(2)), 2).await }
//! ```
//!
//! Needs the feature `task`.
//!
//! # Panics
//!
//! All functions with a limit panic at once if it is 0: nothing would ever run. Where no tokio runtime
//! is, the first poll panics, and so does one after the runtime of the tasks was shut down ([`local`]'s
//! do neither).
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

mod items;
mod limited;
pub mod local;
mod map;
mod pool;
mod results;
mod spawned;

#[doc(no_inline)]
pub use futures_util::stream::{Stream, StreamExt};
pub use items::{Items, OfIterator, OfStream};
pub use limited::{LimitStreamExt, MapLimited};
pub use map::{Map, TryMap};
pub use pool::{OnDrop, Panicked, Pool};

use results::{in_order, in_order_or_error};
use spawned::Spawned;
use std::convert::identity;
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
pub fn gather<T, F, S, Kind>(
    limit: usize,
    futures: impl Items<Kind, Stream = S>,
) -> impl Future<Output = Vec<T>>
where
    S: Stream<Item = F>,
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    in_order(at_least_one(limit), futures.into_stream(), Spawned::new)
}

/// Runs all futures, at most `limit` at a time, until the first error, and gives their values in the
/// order of the input.
///
/// At the first error that is there the futures that run are cancelled and no more are pulled. In
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
pub fn try_gather<T, E, F, S, Kind>(
    limit: usize,
    futures: impl Items<Kind, Stream = S>,
) -> impl Future<Output = Result<Vec<T>, E>>
where
    S: Stream<Item = F>,
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    in_order_or_error(at_least_one(limit), futures.into_stream(), Spawned::new)
}

/// Runs all futures, at most `limit` at a time, and gives each one's output when it is there. Those that
/// are there when the consumer asks come in any order.
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
pub fn as_completed<T, F, S, Kind>(
    limit: usize,
    futures: impl Items<Kind, Stream = S>,
) -> impl Stream<Item = T>
where
    S: Stream<Item = F>,
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let futures = futures.into_stream();
    Map { limit: at_least_one(limit), items: futures, future_of: identity }.unordered()
}

/// As [`as_completed`], up to and with the first error; the futures that run are then cancelled. In
/// asyncio: a loop over `as_completed` inside a `TaskGroup`.
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
pub fn try_as_completed<T, E, F, S, Kind>(
    limit: usize,
    futures: impl Items<Kind, Stream = S>,
) -> impl Stream<Item = Result<T, E>>
where
    S: Stream<Item = F>,
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let futures = futures.into_stream();
    TryMap(Map { limit: at_least_one(limit), items: futures, future_of: identity }).unordered()
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
/// futures that run are cancelled. In asyncio: the loop that [`map`] stands for, inside a `TaskGroup`.
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
