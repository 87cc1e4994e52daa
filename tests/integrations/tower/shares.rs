//! Calls that belong to shares of the limiter's permits.

use super::{Broken, answered, call, next};
use limit_runtime::tower::{InShares, LimitLayer};
use limit_runtime::{Limiter, Rejected, Share};
use limit_tests::figures::{assert_all_free, assert_figures};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use tokio_test::assert_pending;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_test::mock::{self, Handle};

const SHARES: &[Share] = &[Share::new("live", 50).reserved(), Share::new("batch", 50)];

/// The share that a request names, as text.
fn share_of(request: &&'static str) -> &'static str {
    request
}

/// Returns how many permits of each share are in use, and of the rest.
fn in_use(limiter: &Limiter) -> Vec<usize> {
    limiter.snapshot().shares.iter().map(|share| share.in_use).collect()
}

type Requests = Handle<&'static str, ()>;

#[test]
fn a_call_belongs_to_the_share_that_its_request_says() {
    let limiter = Arc::new(Limiter::new("tower-shares", 2).shares(SHARES));
    let layer = LimitLayer::new(&limiter).share(share_of);
    let (mut service, mut handle): (_, Requests) = mock::spawn_layer(layer);
    handle.allow(10);
    let mut calls = ["batch", "batch", "live"].map(|share| call(service.get_mut(), share));
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    // The second of the batch waits, because the other permit is reserved.
    assert_eq!(in_use(&limiter), [1, 1, 0]);
    assert_figures(&limiter, 2, 1);
    let [first, mut second, live] = calls;
    drop(live);
    assert_pending!(second.poll());
    drop(first);
    assert!(second.is_woken());
    drop(second);
    assert_all_free_of_shares(&limiter);
}

/// Asserts that each share can have its permit.
fn assert_all_free_of_shares(limiter: &Limiter) {
    let both = ["live", "batch"].map(|share| limiter.share(share).try_acquire());
    assert!(both.iter().all(Result::is_ok), "{both:?}");
}

#[tokio::test]
async fn a_name_that_the_limiter_does_not_have_stands_for_the_rest() {
    static LIMITER: Limiter = Limiter::new("tower-shares-unknown", 4).shares(SHARES);
    let service = ServiceBuilder::new()
        .layer(LimitLayer::new(&LIMITER).share(|text: &String| format!("of {text}")))
        .service(service_fn(async |_: String| Ok::<_, Broken>(in_use(&LIMITER))));
    assert_eq!(service.oneshot(String::from("nobody")).await, Ok(vec![0, 0, 1]));
    let warnings = LIMITER.snapshot().to_string();
    assert!(warnings.contains("belongs to the share `of nobody`"), "{warnings}");
}

#[test]
fn the_function_is_called_once_when_the_call_is_made() {
    let limiter = Arc::new(Limiter::new("tower-shares-once", 1).shares(SHARES));
    let held = limiter.share("batch").try_acquire().expect("it is free");
    let asked = Rc::new(Cell::new(0));
    let share_of = {
        let asked = Rc::clone(&asked);
        move |_: &u32| {
            asked.set(asked.get() + 1);
            "batch"
        }
    };
    let mut service = LimitLayer::new(&limiter).share(share_of).layer(service_fn(next));
    let mut waiting = call(&mut service, 1);
    assert_eq!(asked.get(), 1);
    assert_pending!(waiting.poll());
    drop(held);
    assert_eq!(answered(&mut waiting), Ok(2));
    assert_eq!(asked.get(), 1);
}

#[test]
fn a_function_that_panics_takes_neither_a_permit_nor_the_inner_service() {
    let limiter = Arc::new(Limiter::new("tower-shares-panics", 1));
    let share_of = |number: &u32| {
        assert_ne!(*number, 0, "no share");
        "batch"
    };
    let mut service = LimitLayer::new(&limiter).share(share_of).layer(service_fn(next));
    for _ in 0..3 {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(service.call(0))));
        panic.expect_err("the panic is the caller's");
        assert_figures(&limiter, 0, 0);
    }
    let mut call = call(&mut service, 4);
    assert!(call.poll().is_ready());
    drop(call);
    assert_all_free(&limiter);
}

#[tokio::test]
async fn shares_go_with_refusals_and_with_any_hold() {
    static LIMITER: Limiter<Rejected> =
        Limiter::new("tower-shares-refused", 1).max_waiting(0).shares(SHARES);
    let layer = LimitLayer::new(&LIMITER)
        .on_reject(|rejected| rejected.limiter().len())
        .share(share_of)
        .hand_over(|length, permit| (length, permit));
    let service = layer.layer(service_fn(async |share: &'static str| Ok::<_, Broken>(share.len())));
    let (length, permit) = service.clone().oneshot("batch").await.expect("it is admitted");
    assert_eq!((length, permit.is_some()), (5, true));
    let (length, none) = service.oneshot("batch").await.expect("it is refused, with an answer");
    assert_eq!((length, none.is_none()), (20, true));
}

#[test]
fn the_types_can_be_named_and_shown() {
    fn is_layer<E, R, H, F>(layer: &LimitLayer<E, R, H, InShares<F>>) -> String
    where
        E: limit_runtime::Admission,
        R: std::fmt::Debug,
        H: std::fmt::Debug,
    {
        format!("{layer:?}")
    }
    let text = is_layer(&LimitLayer::new(Limiter::new("tower-shares-shown", 1)).share(share_of));
    assert!(text.contains("InShares"), "{text}");
}
