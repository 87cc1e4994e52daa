use limit_runtime::concurrency_limit;

#[concurrency_limit(min = 4, max = 200)]
async fn ends() {}

#[concurrency_limit(max_limit = 50)]
async fn high() {}

#[concurrency_limit(4..=200, initial_limit = 20)]
async fn initial() {}

#[concurrency_limit(adaptive)]
async fn adaptive() {}

#[concurrency_limit(4..=200, is_overload = |output| output.is_none())]
async fn verdict() -> Option<u8> {
    None
}

fn main() {}
