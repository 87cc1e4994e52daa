use limit_runtime::concurrency_limit;

#[concurrency_limit(0)]
async fn zero() {}

#[concurrency_limit(0x0_0)]
async fn hexadecimal_zero() {}

fn main() {}
