//! A function calls itself, and there is one permit.

use limit_runtime::concurrency_limit;
use tokio::spawn;

#[concurrency_limit(1)]
async fn walk(depth: u32) {
    if depth > 0 {
        Box::pin(walk(depth - 1)).await;
    }
}

pub(crate) async fn run() {
    spawn(walk(1)).await.expect("it does not panic");
}

/// The same with a semaphore.
pub(crate) mod by_hand {
    use tokio::spawn;
    use tokio::sync::Semaphore;

    static WALKS: Semaphore = Semaphore::const_new(1);

    async fn walk(depth: u32) {
        let _permit = WALKS.acquire().await;
        if depth > 0 {
            Box::pin(walk(depth - 1)).await;
        }
    }

    pub(crate) async fn run() {
        spawn(walk(1)).await.expect("it does not panic");
    }
}
