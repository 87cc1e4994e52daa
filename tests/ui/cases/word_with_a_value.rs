use limit_runtime::concurrency_limit;

#[concurrency_limit(3, shadow = true)]
async fn shadow() {}

#[concurrency_limit(3, blocking = 4)]
fn blocking() {}

#[concurrency_limit(3, blocking(4))]
fn blocking_in_parentheses() {}

#[concurrency_limit(3, shadwo)]
async fn near_miss() {}

#[concurrency_limit(shadow)]
async fn no_limit() {}

fn main() {}
