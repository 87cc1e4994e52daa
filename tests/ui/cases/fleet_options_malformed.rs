use limit_runtime::concurrency_limit;

#[concurrency_limit(100, scope = fleet, name = "a", on_unavailable = retry)]
async fn another_word() {}

#[concurrency_limit(100, scope = fleet, name = "a", on_unavailable = local)]
async fn no_number() {}

#[concurrency_limit(100, scope = fleet, name = "a", on_unavailable = local(0))]
async fn zero() {}

#[concurrency_limit(100, scope = fleet, name = "a", on_unavailable = local("2"))]
async fn quoted() {}

#[concurrency_limit(100, scope = fleet, name = "a", on_lease_lost = abort)]
async fn another_end() {}

fn main() {}
