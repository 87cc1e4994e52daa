//! Which runtime's permits a call takes, as snapshots tell it.

use limit_runtime::{Limiter, concurrency_limit};
use limit_tests::polling::poll_once;
use tokio::runtime::Handle;

/// The number of the process, of which calls outside any runtime take their permits.
pub(crate) const PROCESS: u64 = 0;

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

/// The output of a call that has no reason to wait.
pub(crate) async fn at_once<F: Future>(future: F) -> F::Output {
    let output = poll_once(std::pin::pin!(future)).await;
    output.expect("the call has no reason to wait")
}
