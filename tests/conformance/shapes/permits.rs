//! Each way of writing an async function: when it takes its permit and gives it back.

use crate::support::{poll_once, run};
use async_trait::async_trait;
use limit_runtime::{Limiter, concurrency_limit};
use std::future::Future;
use std::pin::Pin;

static HELD: Limiter = Limiter::new("permits-held", 1);

/// Returns whether the only permit is out.
fn held() -> bool {
    HELD.try_acquire().is_err()
}

#[concurrency_limit(limiter = HELD)]
async fn asynchronous() -> bool {
    held()
}

#[concurrency_limit(limiter = HELD)]
fn opaque() -> impl Future<Output = bool> {
    assert!(!held());
    async { held() }
}

#[concurrency_limit(limiter = HELD)]
fn boxed() -> Pin<Box<dyn Future<Output = bool>>> {
    assert!(!held());
    Box::pin(async { held() })
}

#[concurrency_limit(limiter = HELD)]
#[tracing::instrument]
async fn above_instrument() -> bool {
    held()
}

#[tracing::instrument]
#[concurrency_limit(limiter = HELD)]
async fn below_instrument() -> bool {
    held()
}

#[async_trait]
trait Held {
    async fn in_an_implementation(&self) -> bool;

    #[concurrency_limit(limiter = HELD)]
    async fn by_default(&self) -> bool {
        held()
    }
}

struct Value;

#[async_trait]
impl Held for Value {
    #[concurrency_limit(limiter = HELD)]
    async fn in_an_implementation(&self) -> bool {
        held()
    }
}

#[test]
fn the_permit_is_out_while_the_body_runs_and_back_before_the_caller_goes_on() {
    run(async {
        assert!(asynchronous().await && !held());
        assert!(opaque().await && !held());
        assert!(boxed().await && !held());
        assert!(above_instrument().await && !held());
        assert!(below_instrument().await && !held());
        assert!(Value.in_an_implementation().await && !held());
        assert!(Value.by_default().await && !held());
    });
}

#[test]
fn no_permit_is_taken_before_the_first_poll() {
    run(async {
        let futures = (asynchronous(), opaque(), boxed(), Value.by_default());
        assert!(!held());
        drop(futures);
    });
}

static UPPER: Limiter = Limiter::new("permits-upper", 1);
static LOWER: Limiter = Limiter::new("permits-lower", 1);

#[concurrency_limit(limiter = UPPER)]
#[concurrency_limit(limiter = LOWER)]
async fn twice() -> (bool, bool) {
    (UPPER.try_acquire().is_err(), LOWER.try_acquire().is_err())
}

#[concurrency_limit(limiter = UPPER)]
#[concurrency_limit(limiter = LOWER)]
fn boxed_twice() -> Pin<Box<dyn Future<Output = (bool, bool)> + Send>> {
    Box::pin(async { (UPPER.try_acquire().is_err(), LOWER.try_acquire().is_err()) })
}

async fn assert_upper_first<F: Future<Output = (bool, bool)>>(call: impl Fn() -> F) {
    assert_eq!(call().await, (true, true));

    let lower = LOWER.acquire().await;
    let mut waiting = Box::pin(call());
    assert!(poll_once(waiting.as_mut()).await.is_none());
    assert!(UPPER.try_acquire().is_err(), "waits for the lower, has the upper");
    drop(lower);
    assert_eq!(waiting.await, (true, true));

    let upper = UPPER.acquire().await;
    let mut waiting = Box::pin(call());
    assert!(poll_once(waiting.as_mut()).await.is_none());
    assert!(LOWER.try_acquire().is_ok(), "waits for the upper, has nothing");
    drop(upper);
    assert_eq!(waiting.await, (true, true));
}

#[test]
fn with_two_attributes_the_upper_ones_permit_is_taken_first() {
    run(assert_upper_first(twice));
    run(assert_upper_first(boxed_twice));
}
