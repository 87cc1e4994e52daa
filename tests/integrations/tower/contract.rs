//! The contract of a service: a call takes its permit, then calls the inner service. Polled by
//! hand.

use super::{Broken, answered, call, next, poll_ready};
use limit_runtime::Limiter;
use limit_runtime::tower::{Limit, LimitLayer, ReservedFuture, ResponseFuture};
use limit_tests::figures::assert_figures;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio_test::task::Spawn;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok};
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_test::mock::{self, Handle, Mock};

/// An inner service that panics if this very instance is called before it was ready.
type Upstream = Mock<u32, &'static str>;

fn behind(limit: usize) -> (Arc<Limiter>, Limit<Upstream>, Handle<u32, &'static str>) {
    let limiter = Arc::new(Limiter::new("tower-contract", limit));
    let (upstream, handle) = mock::pair();
    let service = LimitLayer::new(&limiter).layer(upstream);
    (limiter, service, handle)
}

/// Makes a call and polls it once.
#[track_caller]
fn started<S>(service: &mut S, request: u32) -> Spawn<S::Future>
where
    S: Service<u32>,
    S::Error: std::fmt::Debug,
{
    let mut call = call(service, request);
    assert!(call.poll().is_pending(), "nobody has answered");
    call
}

/// Answers the requests that have come to the inner service, and returns them.
fn arrived(handle: &mut Handle<u32, &'static str>) -> Vec<u32> {
    let mut requests = Vec::new();
    while let std::task::Poll::Ready(Some((request, answer))) = handle.poll_request() {
        requests.push(request);
        answer.send_response("done");
    }
    requests
}

#[test]
fn a_service_is_ready_without_a_permit_and_takes_none() {
    let (limiter, mut service, _handle) = behind(1);
    assert_ready_ok!(poll_ready(&mut service));
    assert_ready_ok!(poll_ready(&mut service));
    assert_figures(&limiter, 0, 0);

    let held = limiter.try_acquire().expect("nothing is reserved");
    assert_ready_ok!(poll_ready(&mut service.clone()));
    assert_ready_ok!(poll_ready(&mut service));
    assert_figures(&limiter, 1, 0);
    drop(held);
}

#[test]
fn a_call_takes_its_permit_when_it_is_first_polled() {
    let (limiter, mut service, mut handle) = behind(1);
    let mut polled = call(&mut service, 1);
    let never_polled = call(&mut service, 2);
    assert_figures(&limiter, 0, 0);
    assert_eq!(arrived(&mut handle), [0; 0]);

    assert_pending!(polled.poll());
    assert_figures(&limiter, 1, 0);
    assert_eq!(arrived(&mut handle), [1]);
    assert_eq!(answered(&mut polled).ok(), Some("done"));
    drop(never_polled);
    assert_figures(&limiter, 0, 0);
    assert_eq!(limiter.snapshot().total.admitted_at_once, 1);
}

#[test]
fn the_inner_service_is_called_only_with_a_permit() {
    let (limiter, mut service, mut handle) = behind(1);
    let held = limiter.try_acquire().expect("a permit is free");
    let mut waits = started(&mut service, 1);
    assert_figures(&limiter, 1, 1);
    assert_pending!(waits.poll());
    assert_eq!(arrived(&mut handle), [0; 0]);

    drop(held);
    assert!(waits.is_woken());
    assert_eq!(arrived(&mut handle), [0; 0], "not before it is polled");
    assert_pending!(waits.poll());
    assert_eq!(arrived(&mut handle), [1]);
    assert_eq!(answered(&mut waits).ok(), Some("done"));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn each_call_has_the_instance_that_was_ready_for_it() {
    let (limiter, mut service, mut handle) = behind(2);
    let held = [limiter.try_acquire(), limiter.try_acquire()];
    // Both calls are made before either is admitted: each must have an instance that is ready.
    let mut calls = [started(&mut service, 1), started(&mut service, 2)];
    drop(held);
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    assert_eq!(arrived(&mut handle), [1, 2]);
    drop(calls);

    // The instance that stays behind is polled anew.
    handle.allow(0);
    assert_pending!(poll_ready(&mut service));
    handle.allow(1);
    let mut third = started(&mut service, 3);
    assert_eq!(arrived(&mut handle), [3]);
    assert_eq!(answered(&mut third).ok(), Some("done"));
}

#[test]
fn an_inner_service_that_is_not_ready_is_waited_for_without_a_permit() {
    let (limiter, service, mut handle) = behind(1);
    let mut service = mock::Spawn::new(service);
    handle.allow(0);
    assert_pending!(service.poll_ready());
    assert_figures(&limiter, 0, 0);
    handle.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready());

    handle.send_error(Broken);
    let error = assert_ready_err!(service.poll_ready());
    assert_eq!(error.downcast_ref(), Some(&Broken), "as the inner service said it");
}

#[test]
fn everything_from_one_layer_shares() {
    let limiter = Arc::new(Limiter::new("tower-shared", 3));
    let layer = LimitLayer::new(&limiter);
    let (upstream, _one) = mock::pair::<u32, &'static str>();
    let (other, _other) = mock::pair::<u32, &'static str>();
    let mut services = vec![layer.layer(upstream), layer.layer(other.clone())];
    services.push(layer.clone().layer(other));
    services.push(services[0].clone());
    services.push(services[3].clone());

    let calls: Vec<_> = services.iter_mut().map(|service| started(service, 1)).collect();
    assert_figures(&limiter, 3, 2);
    drop(calls);
    assert_figures(&limiter, 0, 0);

    // A layer that takes the limiter by value has one limiter of its own too.
    let layer = LimitLayer::new(Limiter::new("tower-its-own", 1));
    let (upstream, _handle) = mock::pair::<u32, &'static str>();
    let (mut one, mut other) = (layer.layer(upstream.clone()), layer.layer(upstream));
    let _calls = (started(&mut one, 1), started(&mut other, 1));
    assert_figures(layer.limiter(), 1, 1);
    assert_figures(one.limiter(), 1, 1);
}

#[test]
fn a_call_that_is_dropped_gives_back_what_it_has() {
    let (limiter, mut service, mut handle) = behind(1);
    let runs = started(&mut service, 1);
    let waits = started(&mut service, 2);
    let mut next = started(&mut service, 3);
    assert_figures(&limiter, 1, 2);

    drop(waits);
    assert_figures(&limiter, 1, 1);
    drop(runs);
    assert!(next.is_woken(), "the permit of the one that ran");
    assert_pending!(next.poll());

    let granted = started(&mut service, 4);
    let mut last = started(&mut service, 5);
    assert_eq!(arrived(&mut handle), [1, 3]);
    assert_eq!(answered(&mut next).ok(), Some("done"));
    assert!(granted.is_woken());
    assert!(!last.is_woken());
    drop(granted);
    assert!(last.is_woken(), "the permit that was granted and not used");
    assert_pending!(last.poll());
    assert_eq!(arrived(&mut handle), [5]);
    assert_eq!(answered(&mut last).ok(), Some("done"));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn calls_are_served_in_the_order_in_which_they_were_first_polled() {
    let (limiter, mut service, mut handle) = behind(1);
    let held = limiter.try_acquire().expect("a permit is free");
    let mut made: Vec<_> = (0..6).map(|n| call(&mut service.clone(), n)).collect();
    let mut queue = VecDeque::new();
    for n in (0..6).rev() {
        let mut call = made.pop().expect("six were made");
        assert_pending!(call.poll());
        queue.push_back((n, call));
    }
    // A call that comes later does not get in before them.
    queue.push_back((6, started(&mut service, 6)));
    drop(held);
    while let Some((n, mut call)) = queue.pop_front() {
        assert!(call.is_woken());
        assert!(queue.iter().all(|(_, later)| !later.is_woken()), "one at a time");
        assert_pending!(call.poll());
        assert_eq!(arrived(&mut handle), [n]);
        assert_eq!(answered(&mut call).ok(), Some("done"));
    }
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_change_of_the_limit_lets_calls_in() {
    let (limiter, mut service, mut handle) = behind(1);
    limiter.set_limit(0);
    assert_ready_ok!(poll_ready(&mut service));
    let mut calls = [1, 2, 3].map(|n| started(&mut service, n));
    limiter.set_limit(2);
    assert_eq!(calls.each_ref().map(Spawn::is_woken), [true, true, false]);
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    assert_eq!(arrived(&mut handle), [1, 2]);
}

#[test]
fn the_service_is_reached_through_it() {
    let limiter = Limiter::new("tower-through", 4);
    let mut service = Limit::new(vec![1], limiter);
    assert_eq!((service.get_ref().len(), service.limiter().limit()), (1, Some(4)));
    service.get_mut().push(2);
    assert_eq!(service.into_inner(), [1, 2]);
}

#[test]
#[should_panic(expected = "polled after it was ready")]
fn a_call_that_is_done_is_not_to_be_polled() {
    let mut service = Limit::new(service_fn(next), Limiter::new("tower-done", 1));
    let mut call = call(&mut service, 1);
    assert_eq!(assert_ready!(call.poll()), Ok(2));
    let _ = call.poll();
}

#[test]
fn it_goes_where_its_inner_service_goes() {
    fn anywhere<T: Send + Sync + Unpin + 'static>(value: T) -> T {
        value
    }

    // The mock's future is not `Unpin`.
    fn to_a_task<T: Send + 'static>(_: T) {}

    let (_limiter, service, _handle) = behind(1);
    let mut service = anywhere(service);
    assert_ready_ok!(poll_ready(&mut service));
    to_a_task(service.call(1));

    let layer = anywhere(LimitLayer::new(Limiter::new("tower-anywhere", 1).max_waiting(1)));
    let ready = || service_fn(|n: u32| std::future::ready(Ok::<_, Broken>(n)));
    let mut service = anywhere(ServiceBuilder::new().layer(layer.clone()).service(ready()));
    assert_ready_ok!(poll_ready(&mut service));
    let _call: ResponseFuture<_, _, _, _, _> = anywhere(service.call(1));

    let layer = anywhere(layer.reserving());
    let mut service = anywhere(ServiceBuilder::new().layer(layer).service(ready()));
    assert_ready_ok!(poll_ready(&mut service));
    let _call: ReservedFuture<_, _, _, _, _> = anywhere(service.call(1));
}
