//! Members of `all(…)` that are none.

use limit_runtime::{KeyedLimiter, Limiter, concurrency_limit};

static A: Limiter = Limiter::new("a", 3);
static TENANTS: KeyedLimiter = Limiter::new("tenants", 3).keyed();

#[concurrency_limit(all())]
async fn nothing() {}

#[concurrency_limit(all(3, A))]
async fn a_number() {}

#[concurrency_limit(all(A, 4..=200))]
async fn a_range() {}

#[concurrency_limit(all(A, key = 1))]
async fn an_option() {}

#[concurrency_limit(all(A, &A))]
async fn twice() {}

#[concurrency_limit(all(A, Limiter::new("b", 1)))]
async fn made_for_each_call() {}

#[concurrency_limit(all(A, b(), c(), d(), e(), f(), g(), h(), i()))]
async fn nine() {}

#[concurrency_limit(all(A, TENANTS))]
async fn without_its_key() {}

#[concurrency_limit(all(A, "b".max_wait()))]
async fn no_limiter() {}

fn main() {}
