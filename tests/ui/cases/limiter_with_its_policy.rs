use limit_runtime::concurrency_limit;

static LIMITER: limit_runtime::Limiter = limit_runtime::Limiter::new("db", 3);

#[concurrency_limit(limiter = LIMITER, max_waiting = 1)]
async fn max_waiting() {}

#[concurrency_limit(order = lifo, limiter = LIMITER)]
async fn order() {}

#[concurrency_limit(limiter = LIMITER, per = "60s")]
async fn per() {}

#[concurrency_limit(limiter = LIMITER, key = 1, total = 3)]
async fn total() {}

#[concurrency_limit(limiter = LIMITER, shadow)]
async fn shadow() {}

fn main() {}
