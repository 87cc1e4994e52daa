//! A runtime that nobody drives has the first call in a queue of the process.

use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use crate::limit::Limit;

pub(crate) async fn run(limit: &'static impl Limit) {
    let held = limit.acquire().await;
    // A thread, because this one drives a runtime already.
    let undriven = thread::spawn(|| {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            tokio::spawn(async { drop(limit.acquire().await) });
            yield_now().await; // The task runs, and waits.
        });
        runtime
    });
    let undriven = Undriven(undriven.join().ok());
    drop(held); // The permit goes to the task, which does not run any more,
    limit.acquire().await; // and this call waits behind it.
    drop(undriven);
}

/// A runtime that ends without blocking the runtime in which it is dropped.
struct Undriven(Option<Runtime>);

impl Drop for Undriven {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
