//! The time from when to when a call holds its permit.

use super::{Broken, answered, call, next};
use limit_runtime::tower::{Limit, LimitLayer};
use limit_runtime::{Limiter, Permit};
use limit_tests::figures::assert_figures;
use std::cell::RefCell;
use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, ServiceExt, service_fn};

/// On its drop, notes how many permits are out.
struct Witness<'a>(&'a Limiter, &'a RefCell<Vec<usize>>);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0.snapshot().total.in_use);
    }
}

#[test]
fn it_is_free_before_the_caller_sees_the_response() {
    let limiter = Arc::new(Limiter::new("tower-answered", 1));
    let gate = Notify::new();
    let gate = &gate;
    let mut service = Limit::new(
        service_fn(move |n: u32| async move {
            gate.notified().await;
            next(n).await
        }),
        &limiter,
    );
    let mut first = call(&mut service, 1);
    let mut second = call(&mut service, u32::MAX);
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    gate.notify_one();
    assert_eq!(answered(&mut first), Ok(2));
    assert!(second.is_woken(), "before the first is dropped");
    assert_pending!(second.poll());
    gate.notify_one();
    assert_eq!(answered(&mut second), Err(Broken));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn the_inner_call_is_dropped_before_the_permit() {
    let limiter = Arc::new(Limiter::new("tower-witnessed", 1));
    let seen = RefCell::new(Vec::new());
    let inner = |ends: Result<bool, Broken>| {
        let witness = Witness(&limiter, &seen);
        async move {
            // This witness belongs to the future, not to its body, and is dropped with the future.
            let _witness = &witness;
            if !ends? {
                pending::<()>().await;
            }
            Ok::<_, Broken>(())
        }
    };
    let mut service = Limit::new(service_fn(inner), &limiter);

    let mut done = call(&mut service, Ok(true));
    assert_eq!(assert_ready!(done.poll()), Ok(()));
    let mut failed = call(&mut service, Err(Broken));
    assert_eq!(assert_ready!(failed.poll()), Err(Broken));
    let mut dropped = call(&mut service, Ok(false));
    assert_pending!(dropped.poll());
    drop(dropped);
    assert_eq!(*seen.borrow(), [1, 1, 1]);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_response_that_is_a_future_of_its_own_is_dropped_before_the_permit() {
    // The same as above, with a future that keeps its witness when it is done.
    struct Keeps<'a>(#[expect(dead_code, reason = "for its drop")] Witness<'a>);

    impl Future for Keeps<'_> {
        type Output = Result<(), Broken>;

        fn poll(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Self::Output> {
            std::task::Poll::Ready(Ok(()))
        }
    }

    let limiter = Arc::new(Limiter::new("tower-keeps", 1));
    let seen = RefCell::new(Vec::new());
    let inner = service_fn(|()| Keeps(Witness(&limiter, &seen)));
    let mut call = call(&mut Limit::new(inner, &limiter), ());
    assert_eq!(assert_ready!(call.poll()), Ok(()));
    assert_eq!(*seen.borrow(), [1], "before the response is there, with the permit");
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_panic_gives_it_back() {
    let limiter = Arc::new(Limiter::new("tower-panics", 1));
    let at_once = service_fn(|()| -> std::future::Ready<Result<(), Broken>> { panic!("meant to") });
    let mut call_panics = call(&mut Limit::new(at_once, &limiter), ());
    catch_unwind(AssertUnwindSafe(|| call_panics.poll())).expect_err("the call panics");
    assert_figures(&limiter, 0, 0);
    drop(call_panics);

    let later = service_fn(async |()| -> Result<(), Broken> { panic!("meant to") });
    let mut future_panics = call(&mut Limit::new(later, &limiter), ());
    catch_unwind(AssertUnwindSafe(|| future_panics.poll())).expect_err("the future panics");
    drop(future_panics);
    assert_figures(&limiter, 0, 0);

    let hands_over =
        LimitLayer::new(&limiter).hand_over(|(), _permit: Option<Permit>| panic!("meant to"));
    let mut hand_over_panics =
        task::spawn(hands_over.layer(service_fn(|()| ready(Ok::<_, Broken>(())))).oneshot(()));
    catch_unwind(AssertUnwindSafe(|| {
        let _: std::task::Poll<Result<(), Broken>> = hand_over_panics.poll();
    }))
    .expect_err("the function panics");
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_request_whose_caller_has_gone_is_dropped_with_its_place() {
    let limiter = Arc::new(Limiter::new("tower-gone", 1));
    let held = limiter.try_acquire().expect("a permit is free");
    let inner = service_fn(|request: Arc<()>| {
        drop(request);
        ready(Ok::<_, Broken>(()))
    });
    let request = Arc::new(());
    let mut waits = call(&mut Limit::new(inner, &limiter), Arc::clone(&request));
    assert_pending!(waits.poll());
    drop(waits);
    assert_eq!(Arc::strong_count(&request), 1);
    assert_figures(&limiter, 1, 0);
    drop(held);
}

#[test]
fn handed_over_it_is_held_for_as_long_as_one_likes() {
    let limiter = Arc::new(Limiter::new("tower-handed-over", 1));
    let layer = LimitLayer::new(&limiter).hand_over(|n: u32, permit: Option<Permit>| (n, permit));
    let mut service = layer.layer(service_fn(next));
    let mut first = call(&mut service, 1);
    let (answer, permit) = assert_ready!(first.poll()).expect("it answers");
    assert_eq!(answer, 2);
    drop(first);
    assert_figures(&limiter, 1, 0);

    let mut second = call(&mut service, u32::MAX);
    assert_pending!(second.poll());
    drop(permit);
    answered(&mut second).expect_err("it fails");
    assert_figures(&limiter, 0, 0);
}
