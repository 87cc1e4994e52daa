//! One service on several runtimes.

use super::{call, next};
use limit_runtime::tower::{Limit, LimitLayer};
use limit_runtime::{Limiter, Scope};
use limit_tests::figures::assert_figures;
use limit_tests::occupancy::Inside;
use limit_tests::polling::poll_once;
use limit_tests::runtimes::one_thread;
use limit_tests::watchdog::in_time;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::runtime::Runtime;
use tokio_test::task::Spawn;
use tower::{Layer, Service, ServiceExt, service_fn};

/// Makes a call in a runtime and does not poll it.
fn made_in<S: Service<u32, Error: std::fmt::Debug>>(
    runtime: &Runtime,
    service: &mut S,
) -> Spawn<S::Future> {
    let _inside = runtime.enter();
    call(service, 1)
}

#[test]
fn each_runtime_has_its_own_permits() {
    let limiter = Arc::new(Limiter::new("tower-each", 1));
    let service = Limit::new(service_fn(next), &limiter);
    let (one, other) = (one_thread(), one_thread());
    let held = one.block_on(limiter.acquire());
    assert_eq!(one.block_on(poll_once(pin!(service.clone().oneshot(1)))), None, "it waits");
    assert_eq!(other.block_on(poll_once(pin!(service.oneshot(1)))), Some(Ok(2)));
    drop(held);
}

#[test]
fn of_the_process_they_are_one() {
    let limiter = Arc::new(Limiter::new("tower-process", 1).scope(Scope::Process));
    let service = Limit::new(service_fn(next), &limiter);
    let (one, other) = (one_thread(), one_thread());
    let held = one.block_on(limiter.acquire());
    assert_eq!(other.block_on(poll_once(pin!(service.clone().oneshot(1)))), None, "it waits");
    drop(held);
    assert_eq!(other.block_on(poll_once(pin!(service.oneshot(1)))), Some(Ok(2)));
}

#[test]
fn a_call_is_of_the_runtime_by_which_it_is_polled_first() {
    let limiter = Arc::new(Limiter::new("tower-first-poll", 1));
    let mut service = Limit::new(service_fn(next), &limiter);
    let (one, other) = (one_thread(), one_thread());
    let _held = one.block_on(limiter.acquire());
    let mut made_on_one = made_in(&one, &mut service);
    let answer = other.block_on(async { made_on_one.poll() });
    assert_eq!(answer, Poll::Ready(Ok(2)));
}

#[test]
fn a_call_that_waits_goes_on_when_its_runtime_has_ended() {
    let limiter = Arc::new(Limiter::new("tower-ended", 1));
    let mut service = Limit::new(service_fn(next), &limiter);
    let (one, other) = (one_thread(), one_thread());
    let held = one.block_on(limiter.acquire());
    let mut waits = made_in(&one, &mut service);
    assert!(one.block_on(async { waits.poll() }).is_pending());
    drop(one);
    assert!(waits.is_woken());
    assert_eq!(other.block_on(async { waits.poll() }), Poll::Ready(Ok(2)));
    drop(held);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_reservation_goes_with_the_call_to_another_runtime() {
    let limiter = Arc::new(Limiter::new("tower-reserved", 1));
    let mut service = LimitLayer::new(&limiter).reserving().layer(service_fn(next));
    let (one, other) = (one_thread(), one_thread());
    one.block_on(service.ready()).expect("a permit is free");
    assert_figures(&limiter, 1, 0);
    let call = service.call(1);
    drop(one);
    assert_eq!(other.block_on(call), Ok(2));
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_on_many_threads_keep_to_the_limit() {
    let inside = Arc::new(Inside::default());
    let limiter = Arc::new(Limiter::new("tower-many", 4));
    let within = Arc::clone(&inside);
    let service = Limit::new(
        service_fn(move |n: u32| {
            let inside = Arc::clone(&within);
            async move {
                let _guest = inside.enter_owned();
                tokio::task::yield_now().await;
                // The calls may come slowly: none leaves before as many have been inside as the
                // limit allows.
                while inside.most() < 4 {
                    tokio::task::yield_now().await;
                }
                next(n).await
            }
        }),
        &limiter,
    );
    let reserving = LimitLayer::new(&limiter).reserving().layer(service.get_ref().clone());
    let calls: Vec<_> = (0..1000)
        .map(|n| match n % 2 {
            0 => tokio::spawn(service.clone().oneshot(n)),
            _ => tokio::spawn(reserving.clone().oneshot(n)),
        })
        .collect();
    for (n, call) in (0..).zip(calls) {
        assert_eq!(in_time(call).await.expect("no panic"), Ok(n + 1));
    }
    assert_eq!((inside.most(), inside.now()), (4, 0));
    assert_figures(&limiter, 0, 0);
}
