use limit_runtime::concurrency_limit;

static LIMITER: limit_runtime::Limiter = limit_runtime::Limiter::new("db", 3);

#[concurrency_limit(3, limiter = LIMITER)]
async fn limit() {}

#[concurrency_limit(limiter = LIMITER, 3)]
async fn limit_after() {}

#[concurrency_limit(name = "db", limiter = LIMITER)]
async fn name() {}

#[concurrency_limit(limiter = LIMITER, scope = process)]
async fn scope() {}

#[concurrency_limit(limiter = LIMITER, env = "LIMIT")]
async fn env() {}

fn main() {}
