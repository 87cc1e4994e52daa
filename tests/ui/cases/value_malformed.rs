use limit_runtime::concurrency_limit;

#[concurrency_limit(3, order = random)]
async fn order() {}

#[concurrency_limit(3, order = "lifo")]
async fn quoted_order() {}

#[concurrency_limit(3, enabled = "no")]
async fn enabled() {}

#[concurrency_limit(3, enabled = 1)]
async fn enabled_number() {}

#[concurrency_limit(3, enabled = || true)]
async fn enabled_closure() {}

fn main() {}
