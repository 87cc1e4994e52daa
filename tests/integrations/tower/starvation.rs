//! Services that are ready, or wait to be ready, and are not called. With tower's own limit they
//! keep other calls out; with the limit of this crate they do not.

use super::{Broken, answered, call, next, poll_ready};
use limit_runtime::Limiter;
use limit_runtime::tower::{BoxError, LimitLayer};
use limit_tests::figures::assert_figures;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::balance::p2c::Balance;
use tower::buffer::Buffer;
use tower::discover::ServiceList;
use tower::limit::ConcurrencyLimitLayer;
use tower::load::Constant;
use tower::load_shed::LoadShed;
use tower::load_shed::error::Overloaded;
use tower::{Layer, Service, ServiceExt, service_fn};

/// Returns a service with a limit of 1, by this crate.
fn ours() -> LimitLayer {
    LimitLayer::new(Limiter::new("tower-ours", 1))
}

/// Returns a service with a limit of 1, by tower.
fn towers() -> ConcurrencyLimitLayer {
    ConcurrencyLimitLayer::new(1)
}

/// Returns whether a call goes on while an idle clone is ready.
fn goes_on_beside_an_idle_clone<L>(layer: &L) -> bool
where
    L: Layer<Inner>,
    L::Service: Service<u32, Response = u32> + Clone,
    <L::Service as Service<u32>>::Error: std::fmt::Debug,
{
    let service = layer.layer(inner());
    let mut idle = service.clone();
    assert_ready_ok!(poll_ready(&mut idle), "the first is ready");

    let mut other = task::spawn(service.oneshot(1));
    let goes_on = other.poll().is_ready();
    if !goes_on {
        drop(idle);
        assert_eq!(answered(&mut other).expect("it answers"), 2, "nothing else kept it out");
    }
    goes_on
}

#[test]
fn an_idle_clone_that_is_ready_keeps_nobody_out() {
    assert!(goes_on_beside_an_idle_clone(&ours()));
    assert!(!goes_on_beside_an_idle_clone(&towers()));
    assert!(!goes_on_beside_an_idle_clone(&ours().reserving()), "as it says");
}

/// Returns whether a call goes on after a clone was polled ready without success and then left.
fn goes_on_behind_a_clone_that_asked<L>(layer: &L) -> bool
where
    L: Layer<Inner>,
    L::Service: Service<u32, Response = u32> + Clone,
    <L::Service as Service<u32>>::Error: std::fmt::Debug,
{
    let service = layer.layer(inner());
    let mut runs = call(&mut service.clone(), STAYS);
    assert_pending!(runs.poll());
    let mut asked = service.clone();
    let _ = poll_ready(&mut asked).map(|ready| ready.expect("it does not fail"));

    let mut other = task::spawn(service.oneshot(1));
    assert_pending!(other.poll(), "one runs");
    drop(runs);
    let goes_on = other.poll().is_ready();
    if !goes_on {
        drop(asked);
        assert_eq!(answered(&mut other).expect("it answers"), 2, "nothing else kept it out");
    }
    goes_on
}

#[test]
fn a_clone_that_was_to_be_woken_when_ready_and_is_not_polled_keeps_nobody_out() {
    assert!(goes_on_behind_a_clone_that_asked(&ours()));
    assert!(!goes_on_behind_a_clone_that_asked(&towers()));
    assert!(!goes_on_behind_a_clone_that_asked(&ours().reserving()), "as it says");
}

#[test]
fn a_pool_of_idle_clones_keeps_nobody_out() {
    let limiter = Arc::new(Limiter::new("tower-pool", 2));
    let service = LimitLayer::new(&limiter).layer(inner());
    let mut idle = vec![service.clone(); 10];
    for service in &mut idle {
        assert_ready_ok!(poll_ready(service));
    }
    let mut calls: Vec<_> = (0..3).map(|_| call(&mut service.clone(), STAYS)).collect();
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    assert_figures(&limiter, 2, 1);
    drop(calls);
    for service in &mut idle {
        assert_eq!(assert_ready!(task::spawn(service.call(1)).poll()), Ok(2));
    }
    assert_figures(&limiter, 0, 0);
}

/// Returns whether a call goes on after the caller of a buffer has gone, while the buffer waits for
/// a permit.
async fn goes_on_beside_a_buffer<S>(service: S) -> bool
where
    S: Service<u32, Response = u32> + Clone + Send + 'static,
    S::Error: Into<BoxError> + std::fmt::Debug + Send + Sync,
    S::Future: Send,
{
    let mut runs = task::spawn(service.clone().oneshot(STAYS));
    assert_pending!(runs.poll());
    let mut buffer = Buffer::new(service.clone(), 4);
    let mut in_buffer = call(&mut buffer, 1);
    assert_pending!(in_buffer.poll());
    yield_now().await; // The buffer's task takes the request up.
    drop(in_buffer);
    drop(runs);
    yield_now().await; // It finds that the caller has gone.

    let goes_on = task::spawn(service.oneshot(1)).poll().is_ready();
    drop(buffer);
    goes_on
}

#[tokio::test]
async fn a_buffer_whose_caller_has_gone_keeps_nobody_out() {
    assert!(goes_on_beside_a_buffer(ours().layer(inner())).await);
    assert!(!goes_on_beside_a_buffer(towers().layer(inner())).await);
}

/// Returns whether a call goes on while a balancer has its endpoints ready.
async fn goes_on_beside_a_balancer<S>(service: S) -> bool
where
    S: Service<u32, Response = u32> + Clone,
    S::Error: Into<BoxError> + std::fmt::Debug,
{
    let endpoint = || Constant::new(service.clone(), 1);
    let mut balance = Balance::new(ServiceList::new(vec![endpoint(), endpoint(), endpoint()]));
    let ready = balance.ready().await.expect("an endpoint is ready");
    let answer = ready.call(1).await.expect("it answers");
    assert_eq!(answer, 2);
    balance.ready().await.expect("an endpoint is ready");
    let goes_on = task::spawn(service.oneshot(1)).poll().is_ready();
    drop(balance);
    goes_on
}

#[tokio::test]
async fn a_balancer_with_its_endpoints_ready_keeps_nobody_out() {
    assert!(goes_on_beside_a_balancer(ours().layer(inner())).await);
    assert!(!goes_on_beside_a_balancer(towers().layer(inner())).await);
}

/// Returns whether a call goes on after a service that sheds load has shed a call and is left.
fn goes_on_beside_one_that_shed<S>(service: S) -> bool
where
    S: Service<u32, Response = u32> + Clone,
    S::Error: Into<BoxError> + std::fmt::Debug,
{
    let mut runs = task::spawn(service.clone().oneshot(STAYS));
    assert_pending!(runs.poll());
    let mut sheds = LoadShed::new(service.clone());
    let _ = call(&mut sheds, 1).poll();
    drop(runs);
    let goes_on = task::spawn(service.oneshot(1)).poll().is_ready();
    drop(sheds);
    goes_on
}

#[test]
fn one_that_sheds_load_keeps_a_place_only_if_it_reserves() {
    assert!(goes_on_beside_one_that_shed(ours().layer(inner())));
    assert!(!goes_on_beside_one_that_shed(towers().layer(inner())));
    assert!(!goes_on_beside_one_that_shed(ours().reserving().layer(inner())), "as it says");
}

#[test]
fn what_sheds_load_sheds_none_for_a_limit_that_it_does_not_see() {
    let limiter = Arc::new(Limiter::new("tower-unseen", 1));
    let held = limiter.try_acquire().expect("a permit is free");
    let mut service = LoadShed::new(LimitLayer::new(&limiter).layer(inner()));
    let mut waits = call(&mut service, 1);
    assert_pending!(waits.poll());
    assert_figures(&limiter, 1, 1);
    drop(held);
    assert_eq!(answered(&mut waits).expect("it answers"), 2);

    let _held = limiter.try_acquire().expect("a permit is free");
    let mut service = LoadShed::new(LimitLayer::new(&limiter).reserving().layer(inner()));
    let error = assert_ready!(call(&mut service, 1).poll()).expect_err("it is shed");
    assert!(error.is::<Overloaded>(), "{error}");
}

/// A request that is not answered.
const STAYS: u32 = 0;

/// The inner service.
type Inner = tower::util::ServiceFn<fn(u32) -> Answer>;
type Answer = std::pin::Pin<Box<dyn Future<Output = Result<u32, Broken>> + Send>>;

fn inner() -> Inner {
    service_fn(|n| match n {
        STAYS => Box::pin(pending()),
        n => Box::pin(next(n)),
    })
}

#[tokio::test]
async fn calls_through_a_buffer_share_with_calls_beside_it() {
    let limiter = Arc::new(Limiter::new("tower-buffered", 2));
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let service = LimitLayer::new(&limiter).layer(service_fn(move |()| {
        let gate = Arc::clone(&opened);
        async move {
            gate.notified().await;
            Ok::<_, Infallible>(())
        }
    }));
    let mut buffer = Buffer::new(service.clone(), 4);
    let mut calls = Vec::new();
    for _ in 0..2 {
        let mut through = task::spawn(buffer.ready().await.expect("there is room").call(()));
        assert_pending!(through.poll());
        yield_now().await;
        assert_pending!(through.poll());
        calls.push(through);
    }
    let mut beside = task::spawn(service.oneshot(()));
    assert_pending!(beside.poll());
    assert_figures(&limiter, 2, 1);
    gate.notify_waiters();
    for call in &mut calls {
        answered(call).expect("it answers");
    }
    assert_pending!(beside.poll());
    gate.notify_waiters();
    answered(&mut beside).expect("it answers");
    assert_figures(&limiter, 0, 0);
}
