use limit_runtime::concurrency_limit;

#[concurrency_limit(3, max_waiting = 1, shadow, on_reject = |_| ())]
async fn after() {}

#[concurrency_limit(3, max_waiting = 1, on_reject = |_| (), shadow)]
async fn before() {}

fn main() {}
