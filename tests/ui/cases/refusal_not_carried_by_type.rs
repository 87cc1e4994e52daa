use limit_runtime::concurrency_limit;

#[concurrency_limit(3, max_waiting = 1)]
async fn no_conversion() -> Result<u8, String> {
    Ok(1)
}

#[concurrency_limit(3, max_waiting = 1)]
async fn another_type() -> Vec<u8> {
    Vec::new()
}

#[concurrency_limit(3, max_waiting = 1)]
async fn opaque() -> impl Iterator<Item = u8> {
    0..3
}

#[concurrency_limit(3, max_waiting = 1)]
fn future() -> impl Future<Output = u8> {
    async { 1 }
}

static LIMITER: limit_runtime::Limiter<limit_runtime::Rejected> =
    limit_runtime::Limiter::new("db", 3).max_waiting(1);

#[concurrency_limit(limiter = LIMITER)]
async fn existing_limiter() {}

#[concurrency_limit(limiter = LIMITER)]
async fn existing_limiter_and_a_type() -> u8 {
    1
}

fn main() {}
