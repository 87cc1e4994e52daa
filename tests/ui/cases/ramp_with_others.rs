use limit_runtime::{Limiter, concurrency_limit};

static LIMITER: Limiter = Limiter::new("limiter", 3);

#[concurrency_limit(3, ramp = "30s", per = "60s")]
async fn per() {}

#[concurrency_limit(3, shadow, ramp = "30s")]
async fn shadow() {}

#[concurrency_limit(3, ramp = "30s", scope = fleet, name = "orders-db")]
async fn fleet() {}

#[concurrency_limit(4..=200, ramp = "30s")]
async fn range() {}

#[concurrency_limit(3, key = id, total = 4..=200, ramp = "30s")]
async fn range_of_the_total(id: u8) {
    let _ = id;
}

#[concurrency_limit(3, key = id, ramp = "30s")]
async fn keys_without_a_total(id: u8) {
    let _ = id;
}

#[concurrency_limit(limiter = LIMITER, ramp = "30s")]
async fn limiter() {}

#[concurrency_limit(all(LIMITER), ramp = "30s")]
async fn all() {}

fn main() {}
