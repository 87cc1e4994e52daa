//! The functions that every contender limits, and the form in which the rows call them.

use std::hint::black_box;

/// How many permits every contender of the rows up to `spawned` has.
pub(crate) const LIMIT: usize = 8;

/// What the limited functions do: as little as can be, without being optimised away.
pub(crate) fn body(value: u32) -> u32 {
    black_box(value).wrapping_add(1)
}

/// The same, yielding once to the scheduler half way.
pub(crate) async fn yielding_body(value: u32) -> u32 {
    tokio::task::yield_now().await;
    body(value)
}

/// A limited function in the form its crate advises.
///
/// A value of this type is what one task keeps for its calls: nothing for most, a clone of the
/// service for tower.
pub(crate) trait Subject: Clone + Send + 'static {
    /// Whether a call waits when no permit is free. One that is refused instead has no place in
    /// a row where every call queues.
    const QUEUES: bool = true;

    /// One call of the function that runs [`body`].
    fn free(&mut self, value: u32) -> impl Future<Output = u32> + Send;

    /// One call of the function that runs [`yielding_body`].
    fn queued(&mut self, value: u32) -> impl Future<Output = u32> + Send;

    /// The same as [`free`](Subject::free), as a future that can be spawned.
    fn once(self, value: u32) -> impl Future<Output = u32> + Send + 'static;
}

/// Whether this subject's calls wait; for use where its type has no name.
pub(crate) fn queues<S: Subject>(_: &S) -> bool {
    S::QUEUES
}
