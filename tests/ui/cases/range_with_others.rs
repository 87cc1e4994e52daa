use limit_runtime::{Limiter, Rejected, concurrency_limit};

static LIMITER: Limiter = Limiter::adaptive("limiter", 4..=200);

#[concurrency_limit(4..=200, per = "60s")]
async fn per() {}

#[concurrency_limit(3, key = id, per = "60s", total = 4..=200)]
async fn per_with_total(id: u8) {}

#[concurrency_limit(4..=200, shadow)]
async fn shadow() {}

#[concurrency_limit(3, shadow, key = id, total = 4..=200)]
async fn shadow_with_total(id: u8) {}

#[concurrency_limit(4..=200, scope = fleet, name = "orders-db")]
async fn fleet() {}

#[concurrency_limit(3, key = id, total = 4..=200, scope = fleet, name = "orders-db")]
async fn fleet_with_total(id: u8) {}

#[concurrency_limit(4..=200, key = id)]
async fn key(id: u8) {}

#[concurrency_limit(4..=200, key = id, total = 4..=200)]
async fn key_and_total(id: u8) {}

#[concurrency_limit(4..=200, weight = 5)]
async fn weight() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(..=200, weight = 2)]
async fn weight_above_one() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, key = id, total = 4..=200, weight = 5)]
async fn weight_above_the_total(id: u8) -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(4..=200, limiter = LIMITER)]
async fn limiter() {}

fn main() {}
