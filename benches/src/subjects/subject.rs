//! The functions that every contender limits, and the form in which the rows call them.

use std::hint::black_box;

/// The number of permits of every contender in the rows up to `spawned`.
pub(crate) const LIMIT: usize = 8;

/// Does the work of a limited function: as little as possible without being optimised away.
pub(crate) fn body(value: u32) -> u32 {
    black_box(value).wrapping_add(1)
}

/// Does the same, and yields once to the scheduler half way.
pub(crate) async fn yielding_body(value: u32) -> u32 {
    tokio::task::yield_now().await;
    body(value)
}

/// A limited function in the form its crate advises.
///
/// A value of this type is the state that one task keeps for its calls: nothing for most, a clone
/// of the service for tower.
pub(crate) trait Subject: Clone + Send + 'static {
    /// `true` if a call waits when no permit is free. A subject that refuses instead is left out of
    /// rows where every call queues.
    const QUEUES: bool = true;

    /// Calls the function that runs [`body`].
    fn free(&mut self, value: u32) -> impl Future<Output = u32> + Send;

    /// Calls the function that runs [`yielding_body`].
    fn queued(&mut self, value: u32) -> impl Future<Output = u32> + Send;

    /// Does the same as [`free`](Subject::free), as a future that can be spawned.
    fn once(&self, value: u32) -> impl Future<Output = u32> + Send + 'static;
}

/// Returns `true` if the subject's calls wait. For use where its type has no name.
pub(crate) fn queues<S: Subject>(_: &S) -> bool {
    S::QUEUES
}
