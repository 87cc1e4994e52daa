use limit_runtime::concurrency_limit;

#[concurrency_limit(3, shadow, max_wait = "50ms")]
async fn after() {}

#[concurrency_limit(3, max_wait = timeout, shadow)]
async fn before(timeout: std::time::Duration) {
    drop(timeout);
}

fn main() {}
