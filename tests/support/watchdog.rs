//! Waits for conditions that are sure to come: the time limit only turns a hang into a failure.

use std::future::Future;
use std::thread;
use std::time::{Duration, Instant};

/// The time after which a test has failed because nothing happens.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Blocks the thread until `is_so` returns true.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    let mut looks = 0;
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        looks += 1;
        // A condition that takes long must not take the processor from those that bring it about.
        if looks < 1_000 { thread::yield_now() } else { thread::sleep(Duration::from_millis(1)) }
    }
}

/// Returns the output of a future that would otherwise hang the test.
pub async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it comes in time")
}
