//! Services with all kinds of limiters, and calls that are refused.

use super::{Broken, call, next};
use limit_runtime::tower::{BoxError, Limit, LimitLayer};
use limit_runtime::{Limiter, Order, Rejected, RejectedKind, SharedLimiter};
use limit_tests::figures::assert_figures;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, assert_ready_err};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

#[track_caller]
fn kind(error: &BoxError) -> RejectedKind {
    error.downcast_ref::<Rejected>().expect("the call was refused").kind()
}

#[test]
fn a_limiter_that_refuses_nobody_leaves_the_error_as_it_is() {
    fn error_is<S: Service<u32, Error = E>, E>(_: &S) {}

    let service = Limit::new(service_fn(next), Limiter::new("tower-plain", 1));
    error_is::<_, Broken>(&service);
    let never = Limit::new(
        service_fn(|n: u32| ready(Ok::<_, Infallible>(n))),
        Limiter::new("tower-plain", 1).scope(limit_runtime::Scope::Process),
    );
    error_is::<_, Infallible>(&never);
    let refusing = Limit::new(service_fn(next), Limiter::new("tower-refusing", 1).max_waiting(0));
    error_is::<_, BoxError>(&refusing);
    // A limit within a limit.
    let both = Limit::new(refusing, Limiter::new("tower-outer", 1).max_waiting(0));
    error_is::<_, BoxError>(&both);
    let answers = LimitLayer::new(Limiter::new("tower-answers", 1).max_waiting(0)).on_reject(|_| 0);
    error_is::<_, Broken>(&answers.layer(service_fn(next)));
}

#[test]
fn a_refused_call_fails_with_the_refusal_and_has_not_called() {
    let limiter = Arc::new(Limiter::new("tower-full", 1).max_waiting(1));
    let calls = AtomicUsize::new(0);
    let mut service = Limit::new(
        service_fn(|()| {
            calls.fetch_add(1, Ordering::Relaxed);
            pending::<Result<(), Broken>>()
        }),
        &limiter,
    );
    let mut inside = [call(&mut service, ()), call(&mut service, ())];
    for call in &mut inside {
        assert_pending!(call.poll());
    }
    let mut refused = call(&mut service, ());
    let error = assert_ready_err!(refused.poll());
    assert_eq!(kind(&error), RejectedKind::QueueFull);
    assert_eq!(
        error.to_string(),
        "concurrency limit `tower-full` reached: 1 of 1 permits in use, 1 waiting"
    );
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_figures(&limiter, 1, 1);
}

#[test]
fn an_inner_error_is_told_from_a_refusal() {
    let mut service = Limit::new(service_fn(next), Limiter::new("tower-told", 1).max_waiting(0));
    let error = assert_ready_err!(call(&mut service, u32::MAX).poll());
    assert_eq!(error.downcast_ref(), Some(&Broken));
    assert!(!error.is::<Rejected>());
    assert_figures(service.limiter(), 0, 0);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_refusal_comes_through() {
    let wait = Duration::from_millis(5);
    let limiter = Arc::new(Limiter::new("tower-kinds", 1).max_wait(wait).max_waiting(1));
    let service = Limit::new(service_fn(next), &limiter);
    let held = limiter.try_acquire().expect("a permit is free");
    let waits = tokio::spawn(service.clone().oneshot(1));
    tokio::task::yield_now().await;
    assert_eq!(kind(&service.clone().oneshot(1).await.unwrap_err()), RejectedKind::QueueFull);
    let error = waits.await.expect("no panic").unwrap_err();
    assert_eq!(kind(&error), RejectedKind::TimedOut);
    limiter.close();
    assert_eq!(kind(&service.clone().oneshot(1).await.unwrap_err()), RejectedKind::Closed);
    limiter.reopen();
    drop(held);
    assert_eq!(service.oneshot(1).await.ok(), Some(2));

    let heavy = Limit::new(service_fn(next), Limiter::new("tower-heavy", 2).weight(3));
    assert_eq!(kind(&heavy.oneshot(1).await.unwrap_err()), RejectedKind::TooHeavy);

    let newest = Limiter::new("tower-newest", 1).max_waiting(1).order(Order::Lifo);
    let limiter = Arc::new(newest);
    let mut service = Limit::new(service_fn(next), &limiter);
    let _held = limiter.try_acquire().expect("a permit is free");
    let mut older = call(&mut service, 1);
    assert_pending!(older.poll());
    let mut newer = call(&mut service, 1);
    assert_pending!(newer.poll());
    assert!(older.is_woken());
    assert_eq!(kind(&assert_ready_err!(older.poll())), RejectedKind::Evicted);
}

#[test]
fn on_reject_answers_in_place_of_the_inner_service() {
    let limiter = Arc::new(Limiter::new("tower-answers-in-place", 1).max_waiting(0));
    let layer = LimitLayer::new(&limiter).on_reject(|rejected| rejected.to_string());
    let mut service = layer.layer(service_fn(async |n: u32| match n {
        0 => Err(Broken),
        n => Ok(n.to_string()),
    }));
    assert_eq!(assert_ready!(call(&mut service, 7).poll()), Ok("7".to_owned()));
    assert_eq!(assert_ready!(call(&mut service, 0).poll()), Err(Broken));
    let _held = limiter.try_acquire().expect("a permit is free");
    assert_eq!(
        assert_ready!(call(&mut service.clone(), 7).poll()),
        Ok("concurrency limit `tower-answers-in-place` reached: 1 of 1 permits in use, 0 waiting"
            .to_owned())
    );
}

#[test]
fn a_refused_calls_response_is_handed_over_without_a_permit() {
    let limiter = Arc::new(Limiter::new("tower-handed-over", 1).max_waiting(0));
    // Both orders of the two layers.
    let layers = (
        LimitLayer::new(&limiter).on_reject(|_| 0).hand_over(|n: u32, permit| (n, permit)),
        LimitLayer::new(&limiter).hand_over(|n: u32, permit| (n, permit)).on_reject(|_| 0),
    );
    let (mut one, mut other) = (layers.0.layer(service_fn(next)), layers.1.layer(service_fn(next)));
    let (answer, permit) = assert_ready!(call(&mut one, 1).poll()).expect("it answers");
    assert_eq!((answer, permit.is_some()), (2, true));
    for mut refused in [call(&mut one, 1).poll(), call(&mut other, 1).poll()] {
        let refused = &mut refused;
        let (answer, permit) = assert_ready!(refused).as_ref().expect("it answers");
        assert_eq!((*answer, permit.is_some()), (0, false));
    }
    assert_figures(&limiter, 1, 0);
}

#[test]
fn a_limiter_is_given_in_any_form() {
    static LIMITER: Limiter = Limiter::new("tower-of-a-static", 1);
    static REFUSING: Limiter<Rejected> =
        Limiter::new("tower-of-a-static,-refusing", 1).max_waiting(0);

    fn calls(layer: LimitLayer) -> u64 {
        let mut service = ServiceBuilder::new().layer(layer).service(service_fn(next));
        assert_eq!(assert_ready!(call(&mut service, 1).poll()), Ok(2));
        let total = service.limiter().snapshot().total;
        assert_eq!(total.in_use, 0);
        total.admitted_at_once
    }

    let arc = Arc::new(Limiter::named("tower-in-an-arc", 1));
    assert_eq!(calls(LimitLayer::new(&LIMITER)), 1);
    assert_eq!(calls(LimitLayer::new(SharedLimiter::from(&LIMITER))), 2);
    assert_eq!(calls(LimitLayer::new(&arc)), 1);
    assert_eq!(calls(LimitLayer::new(Arc::clone(&arc))), 2);
    assert_eq!(calls(LimitLayer::new(Limiter::named("tower-owned", 1))), 1);

    let mut service = Limit::new(service_fn(next), &REFUSING);
    let _held = REFUSING.try_acquire().expect("a permit is free");
    assert_eq!(kind(&assert_ready_err!(call(&mut service, 1).poll())), RejectedKind::QueueFull);
}

#[test]
fn an_owned_limiter_lives_as_long_as_a_call_waits() {
    let arc = Arc::new(Limiter::new("tower-outlived", 1));
    let held = arc.try_acquire().expect("a permit is free");
    let mut service = Limit::new(service_fn(next), Arc::clone(&arc));
    let mut waits = call(&mut service, 1);
    assert_pending!(waits.poll());
    drop(service);
    drop(arc);
    drop(held);
    assert!(waits.is_woken());
    assert_eq!(assert_ready!(waits.poll()), Ok(2));
}

#[test]
fn in_shadow_nobody_waits() {
    let limiter = Arc::new(Limiter::new("tower-shadow", 1).max_waiting(0).shadow());
    let mut service = Limit::new(service_fn(next), &limiter);
    let _held = limiter.try_acquire().expect("a permit is free");
    assert_eq!(assert_ready!(call(&mut service, 1).poll()).ok(), Some(2));
}
