use limit_runtime::concurrency_limit;

#[concurrency_limit(3, total = 10)]
async fn no_key() {}

fn main() {}
