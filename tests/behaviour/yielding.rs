//! Calls that do not wait, and tokio's cooperative budget.

use limit_runtime::{Limiter, concurrency_limit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::{consume_budget, coop};

/// More rounds than tokio's budget has, which is 128 for each poll of a task.
const ROUNDS: usize = 1_000;

#[concurrency_limit(1)]
async fn limited() {}

/// Spawns a task that runs when the caller yields, and returns whether it has run.
fn spawn_other() -> Arc<AtomicBool> {
    let has_run = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&has_run);
    tokio::spawn(async move { other.store(true, Ordering::Relaxed) });
    has_run
}

#[tokio::test]
async fn calls_whose_permit_is_free_do_not_yield() {
    static LIMITER: Limiter = Limiter::new("yielding", 1);

    let other_has_run = spawn_other();
    for _ in 0..ROUNDS {
        limited().await;
        drop(LIMITER.acquire().await);
    }
    assert!(!other_has_run.load(Ordering::Relaxed));
    assert!(coop::has_budget_remaining());
}

#[tokio::test]
async fn a_loop_of_calls_that_consumes_the_budget_yields() {
    let other_has_run = spawn_other();
    for _ in 0..ROUNDS {
        limited().await;
        consume_budget().await;
    }
    assert!(other_has_run.load(Ordering::Relaxed));
}
