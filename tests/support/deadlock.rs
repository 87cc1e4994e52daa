//! Two functions whose calls wait for each other.

use crate::watchdog::until;
use limit_runtime::{concurrency_limit, diagnostics};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Barrier;

/// The names of the two limiters.
pub const NAMES: [&str; 2] = ["deadlock::orders", "deadlock::stock"];

/// Two calls that wait for each other, on a runtime of their own. A program has one such pair at a time.
#[derive(Debug)]
pub struct Deadlock(Option<Runtime>);

impl Deadlock {
    /// Makes the two calls. Records calls from then on, and waits until the deadlock is found.
    pub fn begin() -> Self {
        diagnostics::record(true);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build();
        let runtime = runtime.expect("a runtime can be made");
        let both = Arc::new(Barrier::new(2));
        runtime.spawn(orders(Arc::clone(&both), true));
        runtime.spawn(stock(both, true));
        until("the deadlock is found", is_found);
        Self(Some(runtime))
    }

    /// Ends the two calls, and waits until there is no such deadlock any more.
    pub fn end(mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
        until("the deadlock is gone", || !is_found());
    }
}

impl Drop for Deadlock {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

fn is_found() -> bool {
    let deadlocks = diagnostics::deadlocks();
    let mut calls = deadlocks.iter().flat_map(diagnostics::Deadlock::calls);
    calls.any(|stuck| NAMES.contains(&stuck.call().limiter()))
}

#[concurrency_limit(1, name = "deadlock::orders")]
async fn orders(both: Arc<Barrier>, is_outer: bool) {
    if is_outer {
        both.wait().await;
        Box::pin(stock(both, false)).await;
    }
}

#[concurrency_limit(1, name = "deadlock::stock")]
async fn stock(both: Arc<Barrier>, is_outer: bool) {
    if is_outer {
        both.wait().await;
        Box::pin(orders(both, false)).await;
    }
}
