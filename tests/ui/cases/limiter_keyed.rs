//! A limiter with keys needs `key`, and one without keys has none.

use limit_runtime::{KeyedLimiter, Limiter, Rejected, concurrency_limit};
use std::sync::Arc;

static TENANTS: KeyedLimiter = Limiter::new("tenants", 3).keyed();
static STRICT: KeyedLimiter<Rejected> = Limiter::new("strict", 3).max_waiting(10).keyed();
static PLAIN: Limiter = Limiter::new("plain", 3);

struct Client {
    tenants: Arc<KeyedLimiter>,
}

impl Client {
    #[concurrency_limit(limiter = self.tenants)]
    async fn of_a_field(&self) {}
}

#[concurrency_limit(limiter = TENANTS)]
async fn without_its_key() {}

#[concurrency_limit(limiter = &STRICT, max_wait = "5ms")]
async fn with_refusals() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(limiter = PLAIN, key = tenant)]
async fn with_a_key(tenant: u64) {
    drop(tenant);
}

fn main() {}
