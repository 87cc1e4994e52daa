use limit_runtime::concurrency_limit;

#[concurrency_limit(3, colour = "red")]
async fn unknown() {}

#[concurrency_limit(3, nmae = "db")]
async fn near_miss() {}

#[concurrency_limit(limit = 3)]
async fn limit_as_an_option() {}

#[concurrency_limit(3, scop = process, enf = "LIMIT")]
async fn two_of_them() {}

fn main() {}
