//! Waiting for the watcher, and work that takes as long as a test wants.

use limit_runtime::diagnostics::{self, Deadlock};
use limit_runtime::{Admission, Limiter};
use limit_tests::watchdog::{PATIENCE, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

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

/// Waits until so many calls hold permits of a limiter, and so many wait there.
pub(crate) fn until_busy<E: Admission>(limiter: &Limiter<E>, holders: usize, waiters: usize) {
    until(&format!("{holders} hold and {waiters} wait at {}", limiter.name()), || {
        (limiter.holders().len(), limiter.waiters().len()) == (holders, waiters)
    });
}

/// Work of which nothing is seen until the test says that it is done: nobody polls it meanwhile.
#[derive(Clone)]
pub(crate) struct Work(Arc<Semaphore>);

impl Work {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(crate) async fn done(self) {
        drop(self.0.acquire().await.expect("it is not closed"));
    }

    pub(crate) fn finish(&self) {
        self.0.add_permits(Semaphore::MAX_PERMITS / 2);
    }
}

/// Waits until the tasks have ended.
pub(crate) fn until_ended(runtime: &Runtime, tasks: impl IntoIterator<Item = JoinHandle<()>>) {
    runtime.block_on(async {
        for task in tasks {
            tokio::time::timeout(PATIENCE, task).await.expect("it goes on").expect("no panic");
        }
    });
}
