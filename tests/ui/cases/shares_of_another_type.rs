use limit_runtime::{KeyedLimiter, Limiter, Share, concurrency_limit};

const SHARES: &[Share] = &[Share::new("live", 60)];
static KEYED: KeyedLimiter = Limiter::new("keyed", 3).keyed();

#[concurrency_limit(3, shares = ["live"], share = "live")]
async fn shares_of_text() {}

#[concurrency_limit(3, shares = SHARES, share = class)]
async fn share_of_a_number(class: u8) {}

#[concurrency_limit(limiter = KEYED, share = "live")]
async fn share_of_keys() {}

fn main() {}
