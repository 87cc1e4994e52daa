use limit_runtime::concurrency_limit;

#[concurrency_limit(-1)]
async fn negative() {}

#[concurrency_limit(-1.5)]
async fn negative_fraction() {}

fn main() {}
