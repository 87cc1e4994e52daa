//! Several existing limiters, whose permits a call takes as one.

use crate::support::run;
use limit_runtime::{AllPermits, KeyedLimiter, Limiter, Rejected, concurrency_limit};
use std::sync::Arc;

static A: Limiter = Limiter::new("together::A", 2);
static B: Limiter = Limiter::new("together::B", 2);
static BOUNDED: Limiter<Rejected> = Limiter::new("together::BOUNDED", 2).max_waiting(1);
static TENANTS: KeyedLimiter = Limiter::new("together::TENANTS", 2).keyed();

struct Client {
    disk: Limiter,
    shared: Arc<Limiter>,
}

impl Client {
    #[concurrency_limit(all(A, limiter = self.disk, self.shared))]
    async fn of_fields(&self, value: &str) -> usize {
        value.len()
    }
}

#[concurrency_limit(all(A, B))]
async fn of_statics() -> u8 {
    1
}

#[concurrency_limit(all(&B, A,))]
async fn in_another_order() -> u8 {
    2
}

#[concurrency_limit(all(TENANTS.key(tenant.to_owned()), B.acquire().priority(3)))]
async fn of_calls(tenant: &str) -> usize {
    tenant.len()
}

#[concurrency_limit(all(A, BOUNDED))]
async fn refused() -> Result<u8, Rejected> {
    Ok(3)
}

#[concurrency_limit(all(A, B.acquire().weight(weight)), on_reject = |rejected| rejected.weight())]
async fn handled(weight: u32) -> u32 {
    0
}

#[concurrency_limit(all(A, B), max_wait = "1s", permit = permits)]
async fn named() -> Option<usize> {
    let permits: AllPermits<2> = permits;
    Some(permits.into_permits().len())
}

#[concurrency_limit(all(A, B), blocking)]
fn on_the_pool(text: String) -> usize {
    text.len()
}

#[concurrency_limit(all(A, B), overload = |&answer| answer > 5)]
async fn judged(answer: u8) -> u8 {
    answer
}

#[concurrency_limit(all(A, B), crate = renamed)]
async fn of_a_renamed_crate() -> u8 {
    4
}

#[concurrency_limit(all(A, B))]
#[concurrency_limit(limiter = BOUNDED)]
async fn below_another_attribute() -> Option<u8> {
    Some(5)
}

#[test]
fn several_limiters_are_taken_as_one() {
    let client = Client {
        disk: Limiter::new("together::disk", 1),
        shared: Arc::new(Limiter::new("together::shared", 1)),
    };
    run(async {
        assert_eq!(client.of_fields("four").await, 4);
        assert_eq!((of_statics().await, in_another_order().await), (1, 2));
        assert_eq!(of_calls("acme").await, 4);
        assert_eq!(refused().await.unwrap(), 3);
        assert_eq!((handled(2).await, handled(3).await), (0, 3));
        assert_eq!(named().await, Some(2));
        assert_eq!(on_the_pool(String::from("pool")).await, 4);
        assert_eq!((judged(3).await, of_a_renamed_crate().await), (3, 4));
        assert_eq!(below_another_attribute().await, Some(5));
    });
    for limiter in [&A, &B] {
        assert_eq!(limiter.snapshot().total.in_use, 0);
    }
}
