use limit_runtime::concurrency_limit;

#[concurrency_limit(3, ramp = "0s")]
async fn zero() {}

#[concurrency_limit(3, ramp = 30)]
async fn no_unit() {}

#[concurrency_limit(3, ramp)]
async fn no_value() {}

#[concurrency_limit(3, ramp = true)]
async fn switch() {}

#[concurrency_limit(3, slow_start = "30s")]
async fn of_haproxy() {}

#[concurrency_limit(3, warmup)]
async fn of_others() {}

#[concurrency_limit(3, warm_up_period = WARM_UP)]
async fn of_guava() {}

#[concurrency_limit(3, remp = "30s")]
async fn mistyped() {}

fn main() {}
