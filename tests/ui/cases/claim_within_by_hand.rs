use limit_runtime::{Limiter, concurrency_limit};
use std::time::Duration;

static LIMITER: Limiter = Limiter::new("db", 3).claim_within(Duration::ZERO);

const NO_TIME: Duration = Duration::from_millis(0);

#[concurrency_limit(3, claim_within = NO_TIME)]
async fn constant() {}

fn main() {}
