use limit_runtime::{Limiter, concurrency_limit};
use std::time::Duration;

#[concurrency_limit(3, claim_within = "0s")]
async fn zero() {}

#[concurrency_limit(3, claim_within = "never")]
async fn quoted_word() {}

#[concurrency_limit(3, claim_within = 5)]
async fn no_unit() {}

#[concurrency_limit(3, claim_within = "5 parsecs")]
async fn unknown_unit() {}

#[concurrency_limit(3, claim_within = time)]
async fn argument(time: Duration) {
    drop(time);
}

#[concurrency_limit(limiter = LIMITER, claim_within = "1s")]
async fn existing_limiter() {}

static LIMITER: Limiter = Limiter::new("db", 3);

fn main() {}
