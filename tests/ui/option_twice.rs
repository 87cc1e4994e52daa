use limit_runtime::concurrency_limit;

static LIMITER: limit_runtime::Limiter = limit_runtime::Limiter::new("db", 3);

#[concurrency_limit(3, name = "a", name = "b")]
async fn name() {}

#[concurrency_limit(3, scope = process, env = "A", scope = process)]
async fn scope() {}

#[concurrency_limit(limiter = LIMITER, limiter = LIMITER)]
async fn limiter() {}

fn main() {}
