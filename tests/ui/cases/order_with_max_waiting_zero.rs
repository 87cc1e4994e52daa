use limit_runtime::concurrency_limit;

#[concurrency_limit(3, order = lifo, max_waiting = 0)]
async fn order() -> Option<()> {
    None
}

#[concurrency_limit(3, max_waiting = 0, priority = 1)]
async fn priority() -> Option<()> {
    None
}

fn main() {}
