//! Services that take the permit before the call.

use super::{Broken, answered, call, next, poll_ready};
use limit_runtime::tower::{
    AsError, BoxError, Hold, Limit, LimitLayer, Refusals, Reserving, UntilResponse,
};
use limit_runtime::{Limiter, Rejected, RejectedKind};
use limit_tests::figures::assert_figures;
use limit_tests::watchdog::in_time;
use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::Constant;
use tower::load_shed::LoadShed;
use tower::load_shed::error::Overloaded;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_test::mock::{self, Handle, Mock, Spawn};

type Limited =
    Spawn<Limit<Mock<u32, u32>, Infallible, AsError<Infallible>, UntilResponse, Reserving>>;

fn behind(limit: usize) -> (Arc<Limiter>, Limited, Handle<u32, u32>) {
    let limiter = Arc::new(Limiter::new("tower-reserving", limit));
    let (service, handle) = mock::spawn_layer(LimitLayer::new(&limiter).reserving());
    (limiter, service, handle)
}

#[test]
fn a_service_that_is_ready_holds_a_permit_and_its_call_has_it() {
    let (limiter, mut service, mut handle) = behind(1);
    assert_ready_ok!(service.poll_ready());
    assert_figures(&limiter, 1, 0);
    assert_ready_ok!(service.poll_ready());
    assert_figures(&limiter, 1, 0);

    let mut other = service.clone();
    assert_pending!(other.poll_ready());
    assert_figures(&limiter, 1, 1);

    let mut call = tokio_test::task::spawn(service.call(1));
    assert_figures(&limiter, 1, 1);
    assert_pending!(call.poll());
    assert_pending!(service.poll_ready(), "the permit is the call's");
    assert_figures(&limiter, 1, 2);
    let (request, answer) = assert_ready!(handle.poll_request()).expect("the permit is there");
    answer.send_response(request + 1);
    assert_eq!(answered(&mut call).ok(), Some(2));

    assert!(other.is_woken(), "first come, first served");
    assert!(!service.is_woken());
    assert_ready_ok!(other.poll_ready());
    drop(other);
    assert!(service.is_woken(), "what is ready and dropped gives back");
    assert_ready_ok!(service.poll_ready());
    drop(service.call(1));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_clone_has_no_reservation() {
    let (limiter, mut service, _handle) = behind(2);
    assert_ready_ok!(service.poll_ready());
    let mut clone = service.clone();
    assert_figures(&limiter, 1, 0);
    assert_ready_ok!(clone.poll_ready());
    assert_figures(&limiter, 2, 0);

    let mut waits = service.clone();
    assert_pending!(waits.poll_ready());
    let clone_of_a_waiter = waits.clone();
    assert_figures(&limiter, 2, 1);
    drop((waits, clone_of_a_waiter));
    assert_figures(&limiter, 2, 0);
    drop(clone);
    assert_figures(&limiter, 1, 0);
    drop(service.into_inner().into_inner());
    assert_figures(&limiter, 0, 0);
}

#[test]
fn nothing_is_reserved_while_the_inner_service_is_not_ready() {
    let (limiter, mut service, mut handle) = behind(1);
    handle.allow(0);
    assert_pending!(service.poll_ready());
    assert_figures(&limiter, 0, 0);
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());
    assert_figures(&limiter, 1, 0);
}

#[test]
fn a_service_that_has_failed_reserves_nothing() {
    let (limiter, mut service, handle) = behind(1);
    assert_fails_without_permits(&limiter, &mut service, handle, 0);

    let (limiter, mut service, handle) = behind(1);
    let held = limiter.try_acquire().expect("a permit is free");
    assert_fails_without_permits(&limiter, &mut service, handle, 1);
    drop(held);
    assert_figures(&limiter, 0, 0);
}

/// Asserts that a service whose inner service fails after it was polled ready passes the error on
/// and keeps no permit.
#[track_caller]
fn assert_fails_without_permits(
    limiter: &Limiter,
    service: &mut Limited,
    mut handle: Handle<u32, u32>,
    in_use: usize,
) {
    let _ = service.poll_ready();
    handle.send_error(Broken);
    assert_ready_err!(service.poll_ready());
    assert_figures(limiter, in_use, 0);
}

#[test]
fn the_inner_service_is_called_in_the_call_itself() {
    let (limiter, mut service, mut handle) = behind(1);
    assert_ready_ok!(service.poll_ready());
    let call = service.call(1);
    let (request, answer) = assert_ready!(handle.poll_request()).expect("nobody has polled");
    assert_eq!(request, 1);
    answer.send_response(7);
    assert_figures(&limiter, 1, 0);
    assert_eq!(assert_ready!(tokio_test::task::spawn(call).poll()).ok(), Some(7));
    assert_figures(&limiter, 0, 0);
}

/// An inner service that cannot be cloned, like many services.
struct NotClone(Mock<u32, u32>);

impl Service<u32> for NotClone {
    type Response = u32;
    type Error = BoxError;
    type Future = <Mock<u32, u32> as Service<u32>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: u32) -> Self::Future {
        self.0.call(request)
    }
}

#[test]
fn the_inner_service_need_not_be_clone_and_is_always_the_same() {
    let limiter = Arc::new(Limiter::new("tower-not-clone", 2));
    let (inner, mut handle) = mock::pair();
    let mut service = LimitLayer::new(&limiter).reserving().layer(NotClone(inner));
    let mut calls = [call(&mut service, 1), call(&mut service, 2)];
    assert_figures(&limiter, 2, 0);
    for (number, call) in (1..).zip(&mut calls) {
        let (request, answer) = assert_ready!(handle.poll_request()).expect("it was called");
        assert_eq!(request, number);
        answer.send_response(number);
        assert_eq!(assert_ready!(call.poll()).ok(), Some(number));
    }
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_refused_call_has_not_called() {
    let limiter = Arc::new(Limiter::new("tower-not-called", 1).max_waiting(0));
    let (inner, mut handle) = mock::pair::<u32, u32>();
    let mut service = LimitLayer::new(&limiter).reserving().layer(inner);
    let held = limiter.try_acquire().expect("a permit is free");
    let mut refused = call(&mut service, 1);
    assert!(assert_ready_err!(refused.poll()).is::<Rejected>());
    assert_pending!(handle.poll_request());
    drop(held);
    // The inner service that was ready for the refused call serves the next one.
    let _call = call(&mut service, 2);
    assert_eq!(assert_ready!(handle.poll_request()).expect("it was called").0, 2);
}

#[test]
#[should_panic(expected = "must be ready first")]
fn a_call_that_was_not_asked_for_panics() {
    let limiter = Limiter::new("tower-unasked", 1);
    let mut service = LimitLayer::new(limiter).reserving().layer(service_fn(next));
    drop(service.call(1));
}

#[test]
#[should_panic(expected = "must be ready first")]
fn a_call_of_a_service_that_still_waits_panics() {
    let limiter = Arc::new(Limiter::new("tower-waits", 1));
    let mut service = LimitLayer::new(&limiter).reserving().layer(service_fn(next));
    let _held = limiter.try_acquire().expect("a permit is free");
    assert_pending!(poll_ready(&mut service));
    drop(service.call(1));
}

#[test]
fn what_else_is_said_of_the_layer_may_be_said_before_or_after() {
    let limiter = Arc::new(Limiter::new("tower-said", 1).max_waiting(0));
    let before = LimitLayer::new(&limiter).reserving();
    let before = before.on_reject(|_| 0).hand_over(|n: u32, _permit| n);
    let after = LimitLayer::new(&limiter).on_reject(|_| 0).hand_over(|n: u32, _permit| n);
    let after = after.reserving();
    goes_as_it_was_said(&limiter, &before);
    goes_as_it_was_said(&limiter, &after);
}

#[track_caller]
fn goes_as_it_was_said<R, H>(
    limiter: &Limiter<Rejected>,
    layer: &LimitLayer<Rejected, R, H, Reserving>,
) where
    R: Refusals<Rejected, u32, Broken, Error = Broken>,
    H: Hold<u32, u32, Held = u32>,
{
    for _ in 0..2 {
        let mut service = layer.layer(service_fn(next));
        assert_ready_ok!(poll_ready(&mut service));
        assert_figures(limiter, 1, 0);
        let mut refused = layer.clone().layer(service_fn(next));
        assert_eq!(assert_ready!(call(&mut refused, 1).poll()), Ok(0));
        assert_eq!(assert_ready!(call(&mut service, 1).poll()), Ok(2));
        assert_ready_ok!(poll_ready(&mut refused));
        assert_figures(limiter, 1, 0);
    }
}

#[test]
fn a_refusal_comes_from_the_call() {
    let limiter = Arc::new(Limiter::new("tower-refusing", 1).max_waiting(0));
    let mut service = LimitLayer::new(&limiter).reserving().layer(service_fn(next));
    let held = limiter.try_acquire().expect("a permit is free");
    let mut refused = call(&mut service, 1);
    let error = assert_ready_err!(refused.poll());
    let rejected: &Rejected = error.downcast_ref().expect("the call was refused");
    assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    drop(held);

    let mut admitted = call(&mut service, 1);
    assert_figures(&limiter, 1, 0);
    assert_eq!(assert_ready!(admitted.poll()).ok(), Some(2), "the service goes on");
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_wait_to_be_ready_has_its_time() {
    let wait = Duration::from_millis(50);
    let limiter = Arc::new(Limiter::new("tower-patient", 1).max_wait(wait));
    let mut service = LimitLayer::new(&limiter).reserving().layer(service_fn(next));
    let held = limiter.try_acquire().expect("a permit is free");
    let begun = tokio::time::Instant::now();
    let ready = service.ready().await.expect("a refusal is the call's");
    assert_eq!(begun.elapsed(), wait);
    let error = ready.call(1).await.expect_err("it has waited in vain");
    let rejected: &Rejected = error.downcast_ref().expect("the call was refused");
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, wait));
    drop(held);
    assert_eq!(service.oneshot(1).await.ok(), Some(2));
}

#[test]
fn what_sheds_load_sheds_what_would_wait() {
    let limiter = Arc::new(Limiter::new("tower-shed", 1));
    let (upstream, mut handle) = mock::pair::<u32, u32>();
    let mut service = LoadShed::new(LimitLayer::new(&limiter).reserving().layer(upstream));
    let mut runs = call(&mut service.clone(), 1);
    assert_pending!(runs.poll());
    for _ in 0..3 {
        let error: BoxError = assert_ready_err!(call(&mut service.clone(), 2).poll());
        assert!(error.is::<Overloaded>(), "{error}");
    }
    let (request, answer) = assert_ready!(handle.poll_request()).expect("the first");
    answer.send_response(request);
    assert_eq!(answered(&mut runs).ok(), Some(1));
    assert_pending!(call(&mut service, 3).poll());
    assert_eq!(assert_ready!(handle.poll_request()).expect("the next").0, 3);
    assert_figures(&limiter, 0, 0);
}

#[tokio::test]
async fn a_balancer_passes_over_an_endpoint_without_permits() {
    let limiters =
        ["tower-busy", "tower-free"].map(|name| (name, Arc::new(Limiter::named(name, 1))));
    let endpoints = limiters.each_ref().map(|(name, limiter)| {
        let name = *name;
        let answer = service_fn(move |()| ready(Ok::<_, Broken>(name)));
        Constant::new(LimitLayer::new(limiter).reserving().layer(answer), 1)
    });
    let held = limiters[0].1.try_acquire().expect("a permit is free");
    let mut balance = Balance::new(ServiceList::new(endpoints));
    for _ in 0..20 {
        let ready = in_time(balance.ready()).await.expect("one is ready");
        assert_eq!(in_time(ready.call(())).await.ok(), Some("tower-free"));
    }
    drop((balance, held));
    for (_, limiter) in limiters {
        assert_figures(&limiter, 0, 0);
    }
}
