use limit_runtime::{Limiter, concurrency_limit};
use std::sync::LazyLock;

const LIMITER: Limiter = Limiter::new("spot", 1);

#[concurrency_limit(limiter = LIMITER)]
async fn constant() {}

#[concurrency_limit(limiter = &LIMITER)]
async fn reference() {}

#[concurrency_limit(limiter = crate::LIMITER, blocking)]
fn path() {}

const LAZY: LazyLock<Limiter> = LazyLock::new(|| Limiter::new("spot", 1));

#[concurrency_limit(limiter = LAZY)]
async fn lazy() {}

struct Pools {
    pages: Limiter,
}

const POOLS: Pools = Pools { pages: Limiter::new("spot", 1) };

#[concurrency_limit(limiter = POOLS.pages)]
async fn field() {}

const ALL: [Limiter; 1] = [Limiter::new("spot", 1)];

#[concurrency_limit(limiter = ALL[number])]
async fn element(number: usize) {}

impl Pools {
    const LIMITER: Limiter = Limiter::new("spot", 1);

    #[concurrency_limit(limiter = Self::LIMITER)]
    async fn associated(&self) {}
}

fn main() {}
