use limit_runtime::concurrency_limit;
use limit_runtime::Rejected;

#[concurrency_limit(100, scope = fleet, name = "orders-db", per = "60s")]
async fn per() {}

#[concurrency_limit(100, weight = 2, scope = fleet, name = "orders-db")]
async fn weight() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(100, scope = fleet, name = "orders-db", shadow)]
async fn shadow() {}

fn main() {}
