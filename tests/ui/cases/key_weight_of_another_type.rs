use limit_runtime::{Limiter, concurrency_limit};

static LIMITER: Limiter = Limiter::new("limiter", 3);

#[concurrency_limit(3, key = id, total = 9, key_weight = id)]
async fn another_type(id: u8) {}

#[concurrency_limit(limiter = LIMITER, key = id, key_weight = 2)]
async fn without_keys(id: u8) {}

fn by_hand() {
    let _acquire = LIMITER.acquire().key_weight(2);
}

fn main() {}
