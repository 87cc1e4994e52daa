use limit_runtime::{KeyedLimiter, Limiter, concurrency_limit};

static KEYED: KeyedLimiter = Limiter::new("keyed", 3).keyed().total(9);
static LIMITER: Limiter = Limiter::new("limiter", 3);

#[concurrency_limit(3, key_weight = 2)]
async fn alone() {}

#[concurrency_limit(3, key = id, key_weight = 2)]
async fn without_total(id: u8) {}

#[concurrency_limit(limiter = KEYED, key_weight = 2)]
async fn without_key() {}

#[concurrency_limit(3, key = id, total = 9, key_weight = 0)]
async fn zero(id: u8) {}

#[concurrency_limit(3, key = id, total = 9, key_weight = "2")]
async fn text(id: u8) {}

#[concurrency_limit(3, key = id, total = 9, key_weight = 2, scope = fleet, name = "a")]
async fn fleet(id: u8) {}

#[concurrency_limit(all(LIMITER, KEYED.key(id)), key_weight = 2)]
async fn beside_all(id: u8) {}

fn main() {}
