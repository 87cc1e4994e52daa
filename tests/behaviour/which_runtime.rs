//! Finds the runtime whose permits a call takes, by the limiter's snapshots.

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::polling::poll_once;
use tokio::runtime::Handle;

/// The number under which snapshots list the permits of calls outside any runtime.
pub(crate) const PROCESS: u64 = 0;

/// Returns the number under which snapshots list a runtime.
pub(crate) fn number(runtime: &Handle) -> u64 {
    let _context = runtime.enter();
    let probe = Limiter::new("probe", 1);
    let _permit = probe.try_acquire().expect("nobody else has the probe");
    only_holder(&probe)
}

/// Returns the number of the only runtime on which permits are out.
pub(crate) fn only_holder(limiter: &Limiter) -> u64 {
    let holders = holders(limiter);
    assert_eq!(holders.len(), 1, "one runtime has permits out: {holders:?}");
    holders[0].0
}

/// Returns the runtimes on which permits are out, and how many.
pub(crate) fn holders(limiter: &Limiter) -> Vec<(u64, usize)> {
    let runtimes = limiter.snapshot().runtimes.into_iter();
    runtimes
        .map(|runtime| (runtime.runtime, runtime.figures.in_use))
        .filter(|(_, in_use)| *in_use > 0)
        .collect()
}

/// Returns the live runtimes, and how many calls each has admitted.
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

/// Returns the number of the runtime whose permit this call has. No other call may have a permit
/// meanwhile.
#[concurrency_limit(limiter = limiter)]
pub(crate) async fn whose(limiter: &Limiter) -> u64 {
    only_holder(limiter)
}

/// Returns the output of a call that has no reason to wait.
pub(crate) async fn at_once<F: Future>(future: F) -> F::Output {
    let output = poll_once(std::pin::pin!(future)).await;
    output.expect("the call has no reason to wait")
}
