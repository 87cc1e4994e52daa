use limit_runtime::concurrency_limit;

#[concurrency_limit(3, order = lifo, priority = 1)]
async fn after() {}

#[concurrency_limit(3, priority = urgent, order = lifo)]
async fn before(urgent: u8) -> u8 {
    urgent
}

fn main() {}
