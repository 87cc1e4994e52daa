//! Waiting for the watcher.

use limit_runtime::Limiter;
use limit_runtime::diagnostics::{self, Deadlock};
use limit_tests::watchdog::until;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Returns the deadlocks with a limiter of this name.
pub(crate) fn deadlocks(limiter: &str) -> Vec<Deadlock> {
    let has_it = |deadlock: &Deadlock| {
        deadlock.calls().iter().any(|stuck| stuck.call().limiter() == limiter)
    };
    diagnostics::deadlocks().into_iter().filter(has_it).collect()
}

/// Waits until a deadlock with this limiter is found.
pub(crate) fn until_found(limiter: &str) -> Deadlock {
    until(&format!("a deadlock at {limiter} is found"), || !deadlocks(limiter).is_empty());
    deadlocks(limiter).remove(0)
}

/// Waits until the watcher would have told of all that is a deadlock now: it has told of one that began just now.
pub(crate) fn until_looked() {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("canary-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let limiter: &'static Limiter = Box::leak(Box::new(Limiter::named(name.clone(), 1)));
    let runtime = runtime();
    runtime.spawn(limiter.run(async { drop(limiter.acquire().await) }));
    until_found(&name);
}

/// Records calls from now on, and returns a runtime that runs by itself.
pub(crate) fn runtime() -> Runtime {
    diagnostics::record(true);
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// Waits until so many calls wait at a limiter.
pub(crate) fn until_waiting(limiter: &Limiter, count: usize) {
    until(&format!("{count} wait at {}", limiter.name()), || limiter.waiters().len() == count);
}

/// A time that no test lives to see.
pub(crate) const LONG: Duration = Duration::from_secs(600);
