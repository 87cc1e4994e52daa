//! Tasks in bulk for futures that are not `Send`, or that borrow.
//!
//! The functions and their order are those of [`task`](super), but the futures are not spawned: they
//! run inside whoever polls the stream, all in one task.
//!
//! **They stand still while nobody polls.** While the consumer of such a stream awaits something else
//! between two outputs, no future of it goes on: connections time out, and locks and permits that the
//! futures hold stay held, for which the consumer itself may be waiting. Work on outputs inside the
//! closure instead, and keep the loop over the stream short. ([`gather`] and [`try_gather`] have no
//! such loop.) And they share one thread: what computes for long keeps all of them waiting; and a stream
//! of futures that are ready at once never yields to other tasks.
//!
//! A future that panics when it is cancelled, by its drop, keeps none of the others from being dropped;
//! the panic hook reports it, and it goes no further.
//!
//! # Examples
//!
//! ```
//! use limit_runtime::task::{StreamExt, local};
//! use std::cell::RefCell;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let words = vec![String::from("one"), String::from("three")];
//! let seen = RefCell::new(0); // borrowed by all of them, and not `Sync`
//! let lengths = local::map(2, &words, async |word: &String| {
//!     *seen.borrow_mut() += 1;
//!     word.len()
//! });
//! assert_eq!(lengths.ordered().collect::<Vec<_>>().await, [3, 5]);
//! assert_eq!(seen.into_inner(), 2);
//! # }
//! ```

use super::at_least_one;
use super::gathered::{Gathered, Numbered, TryGathered};
use super::items::Items;
use super::results::{Results, UntilError};
use super::start::InPlace;
use super::whole::Whole;
use futures_util::stream::{FuturesOrdered, FuturesUnordered, Stream};
use std::convert::identity;
use std::fmt;
use std::future::Future;

/// The future of [`gather`].
pub type Gather<S, F, T> = Gathered<S, F, InPlace, Whole<Numbered<F>>, T>;

/// The future of [`try_gather`].
pub type TryGather<S, F, T, E> = TryGathered<S, F, InPlace, Whole<Numbered<F>>, T, E>;

/// The stream of [`as_completed`].
pub type AsCompleted<S, F> = Results<S, InPlace, fn(F) -> F, FuturesUnordered<Whole<F>>>;

/// The stream of [`try_as_completed`].
pub type TryAsCompleted<S, F> = UntilError<AsCompleted<S, F>>;

/// As [`task::gather`](super::gather), in place.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::local;
/// use std::rc::Rc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let name = Rc::new("Ann");
/// let greetings = ["Hello", "Good day"].map(|greeting| {
///     let name = Rc::clone(&name);
///     async move { format!("{greeting}, {name}") }
/// });
/// assert_eq!(local::gather(2, greetings).await, ["Hello, Ann", "Good day, Ann"]);
/// # }
/// ```
#[track_caller]
pub fn gather<I, Kind>(
    limit: usize,
    futures: I,
) -> Gather<I::Stream, I::Item, <I::Item as Future>::Output>
where
    I: Items<Kind, Item: Future>,
{
    Gathered::new(futures.into_stream(), in_place(limit))
}

/// As [`task::try_gather`](super::try_gather), in place.
///
/// # Errors
///
/// The first error of a future.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::local;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let words = vec![String::from("1"), String::from("two"), String::from("3")];
/// let numbers = words.iter().map(async |word| word.parse::<u8>());
/// assert!(local::try_gather(2, numbers).await.is_err());
/// # }
/// ```
#[track_caller]
pub fn try_gather<I, Kind, T, E>(limit: usize, futures: I) -> TryGather<I::Stream, I::Item, T, E>
where
    I: Items<Kind, Item: Future<Output = Result<T, E>>>,
{
    TryGathered::new(futures.into_stream(), in_place(limit))
}

/// As [`task::as_completed`](super::as_completed), in place.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::{StreamExt, local};
/// use std::rc::Rc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ready = [1, 2, 3].map(async |n| Rc::new(n));
/// assert_eq!(local::as_completed(2, ready).count().await, 3);
/// # }
/// ```
#[track_caller]
pub fn as_completed<I, Kind>(limit: usize, futures: I) -> AsCompleted<I::Stream, I::Item>
where
    I: Items<Kind, Item: Future>,
{
    Results::new(futures.into_stream(), in_place(limit), identity)
}

/// As [`task::try_as_completed`](super::try_as_completed), in place.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::{StreamExt, local};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let words = vec![String::from("1"), String::from("two"), String::from("3")];
/// let numbers = words.iter().map(async |word| word.parse::<u8>());
/// let results: Vec<_> = local::try_as_completed(1, numbers).collect().await;
/// assert_eq!(results.len(), 2);
/// # }
/// ```
#[track_caller]
pub fn try_as_completed<I, Kind, T, E>(
    limit: usize,
    futures: I,
) -> TryAsCompleted<I::Stream, I::Item>
where
    I: Items<Kind, Item: Future<Output = Result<T, E>>>,
{
    UntilError::new(as_completed(limit, futures))
}

/// As [`task::map`](super::map), in place. See the [module](self) for what that means.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::{StreamExt, local};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let base = vec![10, 20, 30];
/// let sums = local::map(2, 0..3, async |place: usize| base[place] + 1);
/// assert_eq!(sums.ordered().collect::<Vec<_>>().await, [11, 21, 31]);
/// # }
/// ```
#[track_caller]
pub fn map<I, Kind, F, G>(limit: usize, items: I, future_of: F) -> Map<I::Stream, F>
where
    I: Items<Kind>,
    F: FnMut(I::Item) -> G,
    G: Future,
{
    Map { limit: at_least_one(limit), items: items.into_stream(), future_of }
}

/// As [`task::try_map`](super::try_map), in place.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Examples
///
/// ```
/// use limit_runtime::task::{StreamExt, local};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let base = vec![10, 20, 30];
/// let sums = local::try_map(2, 0.., async |place: usize| base.get(place).ok_or(place));
/// let sums: Vec<_> = sums.ordered().collect().await;
/// assert_eq!(sums, [Ok(&10), Ok(&20), Ok(&30), Err(3)]);
/// # }
/// ```
#[track_caller]
pub fn try_map<I, Kind, F, G, T, E>(limit: usize, items: I, future_of: F) -> TryMap<I::Stream, F>
where
    I: Items<Kind>,
    F: FnMut(I::Item) -> G,
    G: Future<Output = Result<T, E>>,
{
    TryMap(map(limit, items, future_of))
}

#[track_caller]
fn in_place(limit: usize) -> InPlace {
    InPlace { limit: at_least_one(limit) }
}

/// What [`map`] gives: say in which order the outputs are wanted.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct Map<S, F> {
    limit: usize,
    items: S,
    future_of: F,
}

impl<S: Stream, F: FnMut(S::Item) -> G, G: Future> Map<S, F> {
    /// The outputs in the order of the items.
    ///
    /// One that is slow holds those behind it back, and when as many wait for it as the limit says, no
    /// more are started.
    pub fn ordered(self) -> impl Stream<Item = G::Output> {
        let in_place = InPlace { limit: self.limit };
        Results::<_, _, _, FuturesOrdered<_>>::new(self.items, in_place, self.future_of)
    }

    /// The outputs when they are there.
    pub fn unordered(self) -> impl Stream<Item = G::Output> {
        let in_place = InPlace { limit: self.limit };
        Results::<_, _, _, FuturesUnordered<_>>::new(self.items, in_place, self.future_of)
    }
}

impl<S, F> fmt::Debug for Map<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What [`try_map`] gives: say in which order the outputs are wanted.
#[must_use = "nothing is pulled until `ordered()` or `unordered()` is polled"]
pub struct TryMap<S, F>(Map<S, F>);

impl<S, F, G, T, E> TryMap<S, F>
where
    S: Stream,
    F: FnMut(S::Item) -> G,
    G: Future<Output = Result<T, E>>,
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
