//! Which runtime's permits a call takes, as snapshots tell it.

use limit_runtime::{Limiter, concurrency_limit};
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};

/// The number of the process, of which calls outside any runtime take their permits.
pub(crate) const PROCESS: u64 = 0;

/// A runtime on this thread whose clock stands still, and leaps when there is nothing to do.
pub(crate) fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be made")
}

/// A runtime with so many worker threads.
pub(crate) fn workers(threads: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_time()
        .build()
        .expect("a runtime can be made")
}

/// The number by which snapshots know the runtime.
pub(crate) fn number(runtime: &Handle) -> u64 {
    let _context = runtime.enter();
    let probe = Limiter::new("probe", 1);
    let _permit = probe.try_acquire().expect("nobody else has the probe");
    only_holder(&probe)
}

/// The number of the only runtime on which permits are out.
pub(crate) fn only_holder(limiter: &Limiter) -> u64 {
    let holders = holders(limiter);
    assert_eq!(holders.len(), 1, "one runtime has permits out: {holders:?}");
    holders[0].0
}

/// On which runtimes permits are out, and how many.
pub(crate) fn holders(limiter: &Limiter) -> Vec<(u64, usize)> {
    let runtimes = limiter.snapshot().runtimes.into_iter();
    runtimes
        .map(|runtime| (runtime.runtime, runtime.figures.in_use))
        .filter(|(_, in_use)| *in_use > 0)
        .collect()
}

/// Which live runtimes have let calls in, and how many.
pub(crate) fn admitted(limiter: &Limiter) -> Vec<(u64, u64)> {
    let runtimes = limiter.snapshot().runtimes.into_iter();
    runtimes
        .map(|runtime| {
            let figures = runtime.figures;
            let admitted = figures.admitted_at_once + figures.admitted_after_waiting;
            (runtime.runtime, admitted)
        })
        .collect()
}

/// The number of the runtime whose permit this call has. No other call may have one meanwhile.
#[concurrency_limit(limiter = limiter)]
pub(crate) async fn whose(limiter: &Limiter) -> u64 {
    only_holder(limiter)
}

/// Polls once, with the waker of the task that we are in: the output, if there is one.
pub(crate) async fn poll_once<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// The output of a call that has no reason to wait.
pub(crate) async fn at_once<F: Future>(future: F) -> F::Output {
    let output = poll_once(std::pin::pin!(future)).await;
    output.expect("the call has no reason to wait")
}

/// Returns as soon as it is so. What is waited for is sure to come; the watchdog only turns a hang
/// into a failure.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(120), "it never happens: {what}");
        thread::yield_now();
    }
}
