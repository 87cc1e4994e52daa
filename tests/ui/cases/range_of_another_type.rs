use limit_runtime::concurrency_limit;

const LOW: u32 = 4;

#[concurrency_limit(LOW..=200)]
async fn low() {}

#[concurrency_limit(2..=LOW)]
async fn high() {}

fn main() {}
