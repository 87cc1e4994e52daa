//! Runtimes for tests, each with a clock.

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Builds a runtime that runs on the current thread.
pub fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime can be made")
}

/// Builds a runtime on the current thread whose clock is paused: the clock advances to the next
/// timer when no task is ready.
pub fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be made")
}

/// Builds a runtime with `threads` worker threads.
pub fn workers(threads: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_time()
        .build()
        .expect("a runtime can be made")
}

/// Awaits all tasks and returns their outputs in the same order.
pub async fn join<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut outputs = Vec::with_capacity(tasks.len());
    for task in tasks {
        outputs.push(task.await.expect("the task does not panic"));
    }
    outputs
}
