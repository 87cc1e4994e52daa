//! Futures in bulk without tasks: they may borrow, and need not be `Send`.
//!
//! The functions and the order of their outputs are those of [`task`](super). The futures are not
//! spawned: they run inside the task that awaits the function, all on one thread. A future that
//! computes for long keeps all others waiting. Futures that are all ready at once do not let other
//! tasks run in between.
//!
//! A future that panics as it is dropped keeps no other future from being dropped. The panic hook
//! reports that panic, and the panic ends there.
//!
//! # Streams
//!
//! For a stream of outputs use `buffered` or `buffer_unordered` of [`StreamExt`](super::StreamExt),
//! which take the futures from a stream and run at most so many at a time:
//!
//! ```
//! use futures_util::stream;
//! use limit_runtime::task::StreamExt;
//! use std::cell::RefCell;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let words = vec![String::from("one"), String::from("three")];
//! let seen = RefCell::new(0); // all futures borrow it, and it is not `Sync`
//! let length = async |word: &String| {
//!     *seen.borrow_mut() += 1;
//!     word.len()
//! };
//! let lengths = stream::iter(words.iter().map(length)).buffered(2);
//! assert_eq!(lengths.collect::<Vec<_>>().await, [3, 5]);
//! assert_eq!(seen.into_inner(), 2);
//! # }
//! ```
//!
//! Such a stream has two faults that the streams of [`task`](super) do not have:
//!
//! - **Its futures stand still while nobody polls the stream.** While the consumer awaits something
//!   else between two outputs, no future goes on. Connections time out, and the locks and permits
//!   that the futures hold stay held. The consumer itself may wait for one of them, for ever. Work
//!   on the outputs inside the futures instead, and keep the loop over the stream short.
//! - **A future that panics as it is dropped takes others along.** If the stream is dropped before
//!   its end, the futures after that one are never dropped. The permits that they hold are lost.

use super::at_least_one;
use super::items::Items;
use super::results::{in_order, in_order_or_error};
use crate::unwind::{poll_to_end, quietly};
use futures_util::stream::Stream;
use pin_project_lite::pin_project;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Runs all futures, at most `limit` at a time, and gives their outputs in the order of the input.
///
/// Works as [`task::gather`](super::gather), without tasks.
///
/// # Cancel safety
///
/// Dropping the call drops all its futures. Outputs that are there already are lost.
///
/// # Panics
///
/// If `limit` is 0, or if a future panics.
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
pub fn gather<T, F, S, Kind>(
    limit: usize,
    futures: impl Items<Kind, Stream = S>,
) -> impl Future<Output = Vec<T>>
where
    S: Stream<Item = F>,
    F: Future<Output = T>,
{
    in_order(at_least_one(limit), futures.into_stream(), QuietDrop::new)
}

/// Runs all futures, at most `limit` at a time, until the first error, and gives their values in
/// the order of the input.
///
/// Works as [`task::try_gather`](super::try_gather), without tasks.
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
/// If `limit` is 0, or if a future panics.
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
pub fn try_gather<T, E, F, S, Kind>(
    limit: usize,
    futures: impl Items<Kind, Stream = S>,
) -> impl Future<Output = Result<Vec<T>, E>>
where
    S: Stream<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    in_order_or_error(at_least_one(limit), futures.into_stream(), QuietDrop::new)
}

pin_project! {
    /// A future whose panic, when it is dropped before its end, goes no further: a set of such
    /// futures is dropped to the last one. (A set of futures-util leaks the rest otherwise.)
    struct QuietDrop<F> {
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for QuietDrop<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut future = this.project().future;
            quietly(|| future.set(None));
        }
    }
}

impl<F> QuietDrop<F> {
    fn new(future: F) -> Self {
        Self { future: Some(future) }
    }
}

impl<F: Future> Future for QuietDrop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        match ready!(poll_to_end(self.project().future, context)) {
            Ok(output) => Poll::Ready(output),
            Err(panic) => resume_unwind(panic),
        }
    }
}
