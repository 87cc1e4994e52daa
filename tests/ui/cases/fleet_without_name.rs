use limit_runtime::concurrency_limit;

#[concurrency_limit(100, scope = fleet)]
async fn no_name() {}

fn main() {}
