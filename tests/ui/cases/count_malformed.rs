use limit_runtime::concurrency_limit;

#[concurrency_limit(3, max_waiting = -1)]
async fn max_waiting_negative() {}

#[concurrency_limit(3, max_waiting = "10")]
async fn max_waiting_string() {}

#[concurrency_limit(3, max_waiting = 10u32)]
async fn max_waiting_suffix() {}

#[concurrency_limit(3, max_waiting = 18446744073709551616)]
async fn max_waiting_too_large() {}

#[concurrency_limit(3, key = 1, total = 0)]
async fn total_zero() {}

#[concurrency_limit(3, key = 1, total = 1.5)]
async fn total_fraction() {}

#[concurrency_limit(3, weight = 4294967296)]
async fn weight_too_large() {}

#[concurrency_limit(3, weight = 2usize)]
async fn weight_suffix() {}

#[concurrency_limit(3, weight = -2)]
async fn weight_negative() {}

#[concurrency_limit(3, weight = |n| n)]
async fn weight_closure() {}

#[concurrency_limit(3, priority = 256)]
async fn priority_too_large() {}

#[concurrency_limit(3, priority = -1)]
async fn priority_negative() {}

#[concurrency_limit(3, priority = "high")]
async fn priority_string() {}

#[concurrency_limit(3, priority = true)]
async fn priority_boolean() {}

#[concurrency_limit(3, priority = (1, 2))]
async fn priority_tuple() {}

fn main() {}
