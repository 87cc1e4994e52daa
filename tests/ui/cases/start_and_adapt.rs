use limit_runtime::{Limiter, concurrency_limit};

static LIMITER: Limiter = Limiter::adaptive("limiter", 4..=200);

#[concurrency_limit(3, start = 2)]
async fn start_of_a_number() {}

#[concurrency_limit(start = 2)]
async fn start_alone() {}

#[concurrency_limit(3, adapt = advise)]
async fn adapt_of_a_number() {}

#[concurrency_limit(limiter = LIMITER, start = 50)]
async fn start_beside_limiter() {}

#[concurrency_limit(limiter = LIMITER, adapt = advise)]
async fn adapt_beside_limiter() {}

#[concurrency_limit(4..=200, start = 3)]
async fn start_below() {}

#[concurrency_limit(4..=200, start = 201)]
async fn start_above() {}

#[concurrency_limit(..=200, start = 0)]
async fn start_of_zero() {}

#[concurrency_limit(3, key = id, total = 4..=200, start = 3)]
async fn start_below_the_total(id: u8) {}

#[concurrency_limit(4..=200, start = "50")]
async fn start_as_text() {}

#[concurrency_limit(4..=200, start = 10..=20)]
async fn start_as_a_range() {}

#[concurrency_limit(4..=200, start = most)]
async fn start_of_an_argument(most: usize) {}

#[concurrency_limit(4..=200, adapt = yes)]
async fn adapt_yes() {}

#[concurrency_limit(4..=200, adapt = true)]
async fn adapt_true() {}

#[concurrency_limit(4..=200, adapt = "advise")]
async fn adapt_as_text() {}

#[concurrency_limit(4..=200, adapt)]
async fn adapt_alone() {}

#[concurrency_limit(3, favor = latency)]
async fn favor_of_a_number() {}

#[concurrency_limit(limiter = LIMITER, favor = latency)]
async fn favor_beside_limiter() {}

#[concurrency_limit(4..=200, favor = speed)]
async fn favor_speed() {}

#[concurrency_limit(4..=200, favor = "latency")]
async fn favor_as_text() {}

#[concurrency_limit(4..=200, optimize = latency)]
async fn favor_by_another_name() {}

fn main() {}
