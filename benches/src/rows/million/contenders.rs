//! The functions that queue, one pair for each contender.

use std::convert::Infallible;

use limit_runtime::{Limiter, concurrency_limit};
use tower::limit::ConcurrencyLimit;
use tower::{ServiceExt, service_fn};

use super::ring::hold;
use super::rows::Rows;
use crate::rows::Selection;

#[concurrency_limit(1)]
async fn attribute_few() {
    hold().await;
}

#[concurrency_limit(1)]
async fn attribute_many() {
    hold().await;
}

async fn acquire(limiter: &Limiter) {
    let _permit = limiter.acquire().await;
    hold().await;
}

async fn tokio(semaphore: &tokio::sync::Semaphore) {
    let _permit = semaphore.acquire().await.unwrap();
    hold().await;
}

async fn mea(semaphore: &mea::semaphore::Semaphore) {
    let _permit = semaphore.acquire(1).await;
    hold().await;
}

async fn async_lock(semaphore: &async_lock::Semaphore) {
    let _guard = semaphore.acquire().await;
    hold().await;
}

trait Hold: tower::Service<(), Response = (), Error = Infallible> + Clone {}

impl<S: tower::Service<(), Response = (), Error = Infallible> + Clone> Hold for S {}

/// Makes a service with one permit, which its clones share.
fn service() -> impl Hold {
    let held = service_fn(|()| async move {
        hold().await;
        Ok::<(), Infallible>(())
    });
    ConcurrencyLimit::new(held, 1)
}

async fn tower(service: impl Hold) {
    let Ok(()) = service.oneshot(()).await;
}

/// Measures the selected contenders, one after another. Sentinel is left out, because its entries
/// cannot queue.
pub(super) fn measure_all(selection: &Selection, rows: &mut Rows) {
    if selection.subject("attribute") {
        rows.measure("attribute", attribute_few, attribute_many);
    }
    if selection.subject("acquire") {
        static FEW: Limiter = Limiter::new("acquire_few", 1);
        static MANY: Limiter = Limiter::new("acquire_many", 1);
        rows.measure("acquire", || acquire(&FEW), || acquire(&MANY));
    }
    if selection.subject("tokio") {
        use tokio::sync::Semaphore;
        static FEW: Semaphore = Semaphore::const_new(1);
        static MANY: Semaphore = Semaphore::const_new(1);
        rows.measure("tokio", || self::tokio(&FEW), || self::tokio(&MANY));
    }
    if selection.subject("mea") {
        use ::mea::semaphore::Semaphore;
        static FEW: Semaphore = Semaphore::new(1);
        static MANY: Semaphore = Semaphore::new(1);
        rows.measure("mea", || mea(&FEW), || mea(&MANY));
    }
    if selection.subject("async-lock") {
        use ::async_lock::Semaphore;
        static FEW: Semaphore = Semaphore::new(1);
        static MANY: Semaphore = Semaphore::new(1);
        rows.measure("async-lock", || async_lock(&FEW), || async_lock(&MANY));
    }
    if selection.subject("tower") {
        let (few, many) = (service(), service());
        rows.measure("tower", || self::tower(few.clone()), || self::tower(many.clone()));
    }
}
