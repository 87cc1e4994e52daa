use limit_runtime::concurrency_limit;
use limit_runtime::Rejected;

#[concurrency_limit(100, on_unavailable = refuse)]
async fn on_unavailable() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(100, scope = process, on_lease_lost = finish)]
async fn on_lease_lost() {}

static LIMITER: limit_runtime::Limiter = limit_runtime::Limiter::new("db", 3);

#[concurrency_limit(limiter = LIMITER, on_unavailable = wait)]
async fn beside_limiter() {}

#[concurrency_limit(limiter = LIMITER, on_lease_lost = cancel)]
async fn cancel_beside_limiter() -> Result<(), Rejected> {
    Ok(())
}

fn main() {}
