//! Programs that hang with a semaphore.

use super::SOON;
use futures::StreamExt;
use futures::stream::{self, FuturesUnordered};
use limit_runtime::{Limiter, Permit, Scope};
use limit_tests::polling::poll_once;
use limit_tests::runtimes::{one_thread, paused};
use std::future::{Future, ready};
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::select;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

/// The two forms of a limit of one.
trait Limit: Sync {
    type Permit: Send;
    fn acquire(&'static self) -> impl Future<Output = Self::Permit> + Send;
}

impl Limit for Semaphore {
    type Permit = SemaphorePermit<'static>;
    async fn acquire(&'static self) -> Self::Permit {
        Semaphore::acquire(self).await.expect("never closed")
    }
}

impl Limit for Limiter {
    type Permit = Permit;
    async fn acquire(&'static self) -> Self::Permit {
        Limiter::acquire(self).await
    }
}

fn limiter(name: &'static str) -> &'static Limiter {
    Box::leak(Box::new(Limiter::new(name, 1).scope(Scope::Process).claim_within(SOON)))
}

fn semaphore() -> &'static Semaphore {
    Box::leak(Box::new(Semaphore::new(1)))
}

/// Runs on a paused clock, which advances when no task can run: an hour passes at once if the program hangs.
fn hangs(program: impl Future<Output = ()>) {
    let result = paused().block_on(async { timeout(Duration::from_secs(3600), program).await });
    assert!(result.is_err(), "it hangs");
}

/// Runs on a clock that goes on, as the watcher's does.
fn goes_on(program: impl Future<Output = ()>) {
    let result = one_thread().block_on(async { timeout(Duration::from_secs(60), program).await });
    assert!(result.is_ok(), "it goes on");
}

/// The other arm of a `select!` wants the permit that the borrowed future has been handed.
async fn a_future_that_select_borrows<L: Limit>(limit: &'static L) {
    let held = limit.acquire().await;
    let mut first = pin!(limit.acquire());
    let (leave, may_leave) = oneshot::channel();
    let holder = tokio::spawn(async move {
        may_leave.await.expect("the other arm sends");
        drop(held);
    });
    select! {
        biased;
        _ = &mut first => unreachable!("the holder has not left"),
        () = ready(()) => {
            leave.send(()).expect("the holder waits for it");
            drop(limit.acquire().await);
        }
    }
    drop(first.await);
    holder.await.expect("it ends");
}

/// A future is polled once, and then its task waits for something that needs the permit.
async fn a_future_that_is_polled_once<L: Limit>(limit: &'static L) {
    let held = limit.acquire().await;
    let mut polled = pin!(limit.acquire());
    assert!(poll_once(polled.as_mut()).await.is_none());
    drop(held);
    let other = tokio::spawn(async { drop(limit.acquire().await) });
    other.await.expect("it ends");
    drop(polled.await);
}

/// Does something under a permit.
async fn work<L: Limit>(limit: &'static L) {
    let _permit = limit.acquire().await;
    yield_now().await;
}

/// The consumer of concurrent calls takes a permit itself.
async fn calls_beside_their_consumer<L: Limit>(limit: &'static L) {
    let mut calls: FuturesUnordered<_> = (0..3).map(|_| work(limit)).collect();
    while calls.next().await.is_some() {
        work(limit).await;
    }
}

/// The same with a buffered stream.
async fn a_buffered_stream<L: Limit>(limit: &'static L) {
    let mut calls = pin!(stream::iter(0..5).map(|_| work(limit)).buffer_unordered(3));
    while calls.next().await.is_some() {
        work(limit).await;
    }
}

/// The first in a queue of the process is on a runtime that nobody drives.
fn a_runtime_that_is_not_driven<L: Limit>(
    limit: &'static L,
    undriven: &Runtime,
) -> impl Future<Output = ()> {
    let (joined, has_joined) = oneshot::channel();
    let held = undriven.block_on(limit.acquire());
    undriven.spawn(async move {
        let mut call = pin!(limit.acquire());
        assert!(poll_once(call.as_mut()).await.is_none());
        joined.send(()).expect("the test waits for it");
        drop(call.await);
    });
    undriven.block_on(has_joined).expect("the task runs");
    async move {
        drop(held);
        drop(limit.acquire().await);
    }
}

#[test]
fn a_future_that_select_borrows_hangs_with_a_semaphore_only() {
    hangs(a_future_that_select_borrows(semaphore()));
    goes_on(a_future_that_select_borrows(limiter("hazard-select")));
}

#[test]
fn a_future_that_is_polled_once_hangs_with_a_semaphore_only() {
    hangs(a_future_that_is_polled_once(semaphore()));
    goes_on(a_future_that_is_polled_once(limiter("hazard-once")));
}

#[test]
fn calls_beside_their_consumer_hang_with_a_semaphore_only() {
    hangs(calls_beside_their_consumer(semaphore()));
    goes_on(calls_beside_their_consumer(limiter("hazard-unordered")));
}

#[test]
fn a_buffered_stream_hangs_with_a_semaphore_only() {
    hangs(a_buffered_stream(semaphore()));
    goes_on(a_buffered_stream(limiter("hazard-buffered")));
}

#[test]
fn a_runtime_that_is_not_driven_hangs_others_with_a_semaphore_only() {
    let undriven = one_thread();
    hangs(a_runtime_that_is_not_driven(semaphore(), &undriven));
    goes_on(a_runtime_that_is_not_driven(limiter("hazard-undriven"), &undriven));
}

#[test]
fn a_runtime_that_is_driven_again_gets_the_permit_that_it_missed() {
    let undriven = one_thread();
    let limiter = limiter("hazard-driven-again");
    goes_on(a_runtime_that_is_not_driven(limiter, &undriven));
    undriven.block_on(async {
        while limiter.snapshot().total.waiting > 0 {
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(limiter.snapshot().total.admitted_after_waiting, 2);
}

#[test]
fn a_paused_clock_does_not_move_when_a_grant_is_taken_back() {
    let moved = paused().block_on(async {
        let start = Instant::now();
        a_future_that_select_borrows(limiter("hazard-paused")).await;
        start.elapsed()
    });
    assert_eq!(moved, Duration::ZERO);
}
