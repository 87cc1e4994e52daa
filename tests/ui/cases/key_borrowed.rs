use limit_runtime::{KeyedLimiter, Limiter, concurrency_limit};

static TENANTS: KeyedLimiter = Limiter::new("tenants", 3).keyed();

#[concurrency_limit(3, key = name)]
async fn own(name: &str) -> usize {
    name.len()
}

#[concurrency_limit(limiter = TENANTS, key = name)]
async fn existing(name: &String) -> usize {
    name.len()
}

// What lives as long as the program may be a key.
#[concurrency_limit(3, key = name)]
async fn constant(name: &'static str) -> usize {
    name.len()
}

fn main() {}
