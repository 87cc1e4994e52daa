//! Waiting for conditions.

use std::time::{Duration, Instant};

/// The time after which a test gives up. It is far longer than anything takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is a value.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = ask().await {
            return value;
        }
        assert!(begin.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The same for code that blocks.
pub(crate) fn until_blocking<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(begin.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
