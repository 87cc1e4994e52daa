use limit_runtime::concurrency_limit;

static LIMITER: limit_runtime::Limiter = limit_runtime::Limiter::new("db", 3);

#[concurrency_limit(3, name = "a", name = "b")]
async fn name() {}

#[concurrency_limit(3, scope = process, env = "A", scope = process)]
async fn scope() {}

#[concurrency_limit(limiter = LIMITER, limiter = LIMITER)]
async fn limiter() {}

#[concurrency_limit(3, blocking, blocking)]
fn blocking() {}

#[concurrency_limit(3, shadow, weight = 1, shadow)]
async fn shadow() {}

#[concurrency_limit(3, weight = 1, weight = 2)]
async fn weight() {}

#[concurrency_limit(3, order = fifo, order = lifo)]
async fn order() {}

#[concurrency_limit(3, max_waiting = 0, max_waiting = 0)]
async fn max_waiting() {}

fn main() {}
