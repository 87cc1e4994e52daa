use limit_runtime::concurrency_limit;

#[concurrency_limit(3, name)]
async fn alone() {}

#[concurrency_limit(3, name =)]
async fn equals_sign_only() {}

#[concurrency_limit(3, scope = , env = "LIMIT")]
async fn before_another() {}

#[concurrency_limit(3, scope(process))]
async fn parentheses() {}

#[concurrency_limit(3, name: "db")]
async fn colon() {}

#[concurrency_limit(limiter)]
async fn limiter() {}

#[concurrency_limit(3, crate)]
async fn crate_path() {}

#[concurrency_limit(3, name "db")]
async fn no_equals_sign() {}

#[concurrency_limit(3, name == "db")]
async fn two_equals_signs() {}

fn main() {}
