//! Options that stand beside `all(…)`, and others that do not.

use limit_runtime::{Limiter, Rejected, concurrency_limit};

static A: Limiter = Limiter::new("a", 3);
static B: Limiter = Limiter::new("b", 3);
static STRICT: Limiter<Rejected> = Limiter::new("strict", 3).max_waiting(1);

#[concurrency_limit(3, all(A, B))]
async fn a_limit() {}

#[concurrency_limit(max_wait = "1s", all(A, B))]
async fn not_first() -> Option<()> {
    Some(())
}

#[concurrency_limit(all(A), limiter = B)]
async fn another_limiter() {}

#[concurrency_limit(all(A, B), key = 1)]
async fn key() {}

#[concurrency_limit(all(A, B), weight = 2)]
async fn weight() {}

#[concurrency_limit(all(A, B), max_waiting = 2)]
async fn max_waiting() {}

#[concurrency_limit(all(A, B), name = "both")]
async fn name() {}

#[concurrency_limit(all(A, STRICT))]
async fn refusals_not_carried() -> u8 {
    1
}

fn main() {}
