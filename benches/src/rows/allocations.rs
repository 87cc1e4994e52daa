//! The allocations of calls.

use std::pin::pin;
use std::task::Poll;

/// The number of calls whose allocations are counted, no more than tokio lets through in one poll.
const CALLS: u32 = 100;

/// Returns the allocations of one call on the thread that polls it. A first call comes before,
/// because it may allocate memory that later ones use.
pub(crate) async fn of_one_call<F: Future>(make: impl Fn() -> F) -> f64 {
    std::hint::black_box(make().await);
    std::future::poll_fn(|context| {
        let counted = allocation_counter::measure(|| {
            for _ in 0..CALLS {
                assert!(pin!(make()).poll(context).is_ready(), "a call does not wait");
            }
        });
        let total = u32::try_from(counted.count_total).unwrap_or(u32::MAX);
        Poll::Ready(f64::from(total) / f64::from(CALLS))
    })
    .await
}

/// Runs a future to its end, and returns the allocations of all its polls.
pub(crate) async fn of_all_polls(future: impl Future<Output = ()>) -> u64 {
    let mut future = pin!(future);
    let mut total = 0;
    std::future::poll_fn(|context| {
        let mut poll = Poll::Pending;
        total += allocation_counter::measure(|| poll = future.as_mut().poll(context)).count_total;
        poll.map(|()| total)
    })
    .await
}
