use limit_runtime::concurrency_limit;

#[concurrency_limit(3, max_wait = "50ms", max_waiting = 0)]
async fn before() -> Option<()> {
    None
}

#[concurrency_limit(3, max_waiting = 0x0, max_wait = "50ms")]
async fn after() -> Option<()> {
    None
}

fn main() {}
