use limit_runtime::{KeyedLimiter, Limiter, Share, concurrency_limit};

const SHARES: &[Share] = &[Share::new("live", 60)];
static LIMITER: Limiter = Limiter::new("limiter", 3).shares(SHARES);
static KEYED: KeyedLimiter = Limiter::new("keyed", 3).keyed();

#[concurrency_limit(3, share = class)]
async fn share_alone(class: &str) {}

#[concurrency_limit(3, shares = SHARES)]
async fn shares_alone() {}

#[concurrency_limit(limiter = LIMITER, shares = SHARES, share = "live")]
async fn shares_beside_limiter() {}

#[concurrency_limit(3, shares = SHARES, share = "live", key = id)]
async fn shares_with_key(id: u8) {}

#[concurrency_limit(limiter = KEYED, share = "live", key = id)]
async fn share_with_key(id: u8) {}

#[concurrency_limit(3, shares = SHARES, share = "live", per = "1s")]
async fn shares_with_per() {}

#[concurrency_limit(3, shares = SHARES, share = "live", scope = fleet, name = "a")]
async fn shares_with_fleet() {}

#[concurrency_limit(3, shares = { live: 60 }, share = "live")]
async fn shares_as_a_map() {}

fn main() {}
