use limit_runtime::concurrency_limit;

#[concurrency_limit(3, on_reject = |_| ())]
async fn alone() {}

#[concurrency_limit(3, per = "1s", key = 1, on_reject = |_| (), enabled = true, order = lifo)]
async fn beside_options_that_do_not_refuse() {}

fn main() {}
