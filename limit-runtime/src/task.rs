//! Tasks in bulk: many futures, of which at most so many run at a time.
//!
//! | here | in asyncio | what it does |
//! |---|---|---|
//! | [`gather`] | `gather` over functions that take a semaphore | gives all outputs, in the order of the input |
//! | [`as_completed`] | `as_completed` | gives the outputs as they are ready |
//! | [`map`] | a loop over `create_task` and `wait`; `Pool.imap` | runs a future for each item, and pulls items as there is room |
//! | [`Pool`] | `TaskGroup` with a semaphore; a queue and workers | runs tasks that are spawned one by one |
//! | [`LimitStreamExt`] | the same, with a semaphore that other tasks use too | runs a stream's items under a [`Limiter`](crate::Limiter) |
//! | [`Limiter::run`](crate::Limiter::run), [`spawn`](crate::Limiter::spawn) | `async with semaphore` | runs one future under a limiter |
//!
//! The functions take the limit as a number. It holds for this one call, and nothing else shares
//! it.
//!
//! The futures run as **tasks** of tokio. They go on while the caller works on an output, and may
//! run on other threads. Dropping the future or stream that a function returned cancels its tasks:
//! each stops where it next awaits. If a task panics, so does the code that polls for its output.
//! The other tasks are cancelled then, and a stream has ended. For futures that are not `Send`, or
//! that borrow, there is [`local`].
//!
//! The items come from an iterator or a stream ([`Items`]), which may be endless. An item is pulled
//! when there is room for it, and an output that is not taken yet counts against the limit. So a
//! function is never more than `limit` items ahead of its consumer.
//!
//! The `try_` functions are for futures that give a `Result`. They stop at the first error and
//! cancel the other tasks, as asyncio's `TaskGroup` does.
//!
//! # The values that a task uses
//!
//! A task outlives the function that spawns it, so its future owns what it uses. Clone a value that
//! several futures share for each of them, before the `async` block:
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
//! // Or borrow the client, without tasks:
//! assert_eq!(task::local::gather(3, (1..=4).map(|id| client.get(id))).await, [1, 2, 3, 4]);
//! # }
//! ```
//!
//! A function that spawns itself, as a crawler may, boxes its future and says that it is `Send`:
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
//!             // `spawn` is not awaited in a task of the pool: such a task holds a permit while it
//!             // waits for another one, and so may wait for itself.
//!             let pool = Arc::clone(&pool);
//!             tokio::spawn(async move { pool.spawn(next).await });
//!         }
//!     })
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { crawl(Arc::new(Pool::new(2)), 2).await }
//! ```
//!
//! The module needs the feature `task`.
//!
//! # Panics
//!
//! All functions with a limit panic at once if it is 0: nothing would ever run. The first poll
//! panics outside a tokio runtime. A poll also panics after the runtime of the tasks was shut down.
//! (The functions of [`local`] need no runtime.)
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
/// In asyncio: `gather(*futures)`, over functions that take a semaphore each. Unlike there, a
/// future is pulled from the iterator when there is room for it, so a long list of futures need not
/// exist at once.
///
/// # Cancel safety
///
/// Dropping the call cancels the futures that run. Outputs that are there already are lost.
///
/// # Panics
///
/// If `limit` is 0. The call panics outside a tokio runtime, or if a future panics.
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

/// Runs all futures, at most `limit` at a time, until the first error, and gives their values in
/// the order of the input.
///
/// The first error in time cancels the futures that run, and no more are pulled. In asyncio: a
/// `TaskGroup`.
///
/// # Errors
///
/// The first error of a future.
///
/// # Cancel safety
///
/// The same as [`gather`].
///
/// # Panics
///
/// The same as [`gather`].
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

/// Runs all futures, at most `limit` at a time, and gives their outputs as they are ready.
///
/// Several outputs that are ready at the same time come in any order. In asyncio:
/// `as_completed(futures)`. Short for [`map`] with the futures as items, unordered.
///
/// # Panics
///
/// If `limit` is 0. The stream panics outside a tokio runtime, or if a future panics.
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

/// Runs all futures, at most `limit` at a time, and gives their results as they are ready, up to
/// and with the first error.
///
/// The error cancels the futures that run. In asyncio: a loop over `as_completed` inside a
/// `TaskGroup`.
///
/// # Panics
///
/// The same as [`as_completed`].
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

/// Runs a future for each item of an iterator or stream, at most `limit` at a time, as tasks.
///
/// Choose the order of the outputs: [`ordered`](Map::ordered) and [`unordered`](Map::unordered)
/// each give a [`Stream`]. The stream pulls items when it is polled and there is room. At most
/// `limit` items are pulled whose outputs it has not given. The tasks go on while the consumer
/// works on an output. New ones start when the consumer asks for the next.
///
/// In asyncio: a loop that keeps a set of tasks full with `create_task` and `wait`. In
/// multiprocessing: `Pool.imap` and `imap_unordered`.
///
/// # Panics
///
/// If `limit` is 0. The stream panics outside a tokio runtime, or if the iterator, the closure or a
/// future panics.
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

/// Runs a future for each item, at most `limit` at a time, up to and with the first error.
///
/// Works as [`map`], for futures that give a `Result`. The stream ends after the first error, which
/// cancels the futures that run. In asyncio: the loop that [`map`] stands for, inside a
/// `TaskGroup`.
///
/// # Panics
///
/// The same as [`map`].
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
