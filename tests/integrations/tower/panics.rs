//! Code of the user that panics around a call: the permit is back at once, and no answer is lost.

use super::{Broken, call, poll_ready};
use limit_runtime::Limiter;
use limit_runtime::tower::{Limit, LimitLayer};
use limit_tests::figures::assert_figures;
use limit_tests::wakers::panics_when_woken;
use std::cell::Cell;
use std::future::{Ready, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};
use tower::{Layer, Service, service_fn};

#[track_caller]
fn assert_panics<T>(call: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err(), "it panics");
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("when dropped");
    }
}

/// Answers with the value that the test sends.
async fn wait<T>(answer: oneshot::Receiver<T>) -> Result<T, Broken> {
    answer.await.map_err(|_| Broken)
}

#[test]
fn a_waker_that_panics_when_the_call_is_done_takes_neither_answer_nor_error_along() {
    let limiter = Arc::new(Limiter::new("tower-panics-at-the-end", 1));
    let layer = LimitLayer::new(&limiter);
    let (mut deferred, mut reserving) =
        (layer.layer(service_fn(wait::<u32>)), layer.reserving().layer(service_fn(wait::<u32>)));
    for expected in [Ok(7), Err(Broken)] {
        let answers = || {
            let (sender, receiver) = oneshot::channel();
            let answer = move || expected.map(|answer| sender.send(answer).expect("it waits"));
            (answer, receiver)
        };
        let (answer, answered) = answers();
        let mut runs = call(&mut deferred, answered);
        assert_pending!(runs.poll());
        let ghost = panics_when_woken(&limiter);
        let _ = answer();
        assert_eq!(assert_ready!(runs.poll()), expected);
        drop(ghost);

        let (answer, answered) = answers();
        let mut runs = call(&mut reserving, answered);
        assert_pending!(runs.poll());
        let ghost = panics_when_woken(&limiter);
        let _ = answer();
        assert_eq!(assert_ready!(runs.poll()), expected);
        drop(ghost);
        assert_figures(&limiter, 0, 0);
    }
}

#[test]
fn an_inner_call_that_panics_gives_its_permit_back_at_once_and_is_over() {
    let limiter = Arc::new(Limiter::new("tower-panics-inside", 1));
    let called = |()| -> Ready<Result<(), Broken>> { panic!("when called") };
    let polled = async |()| -> Result<(), Broken> { panic!("when polled") };
    // The same with a future that panics once more when it is dropped.
    let twice = |()| {
        let bomb = Bomb;
        poll_fn(move |_| -> Poll<Result<(), Broken>> {
            let _owned = &bomb;
            panic!("when polled")
        })
    };
    let layer = LimitLayer::new(&limiter);

    let mut panics = call(&mut layer.layer(service_fn(called)), ());
    assert_panics(|| panics.poll());
    assert_figures(&limiter, 0, 0);
    assert_panics(|| panics.poll());
    assert_figures(&limiter, 0, 0);

    let mut panics = call(&mut layer.layer(service_fn(polled)), ());
    assert_panics(|| panics.poll());
    assert_figures(&limiter, 0, 0);

    let mut panics = call(&mut layer.layer(service_fn(twice)), ());
    assert_panics(|| panics.poll());
    assert_figures(&limiter, 0, 0);

    let layer = layer.reserving();
    let mut service = layer.layer(service_fn(called));
    assert_ready_ok!(poll_ready(&mut service));
    assert_panics(|| service.call(()));
    assert_figures(&limiter, 0, 0);

    let mut panics = call(&mut layer.layer(service_fn(twice)), ());
    assert_panics(|| panics.poll());
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_call_that_panics_may_do_so_together_with_a_waker() {
    let limiter = Arc::new(Limiter::new("tower-panics-together", 1));
    let (sender, receiver) = oneshot::channel::<()>();
    let inner = async |answer: oneshot::Receiver<()>| -> Result<(), Broken> {
        let _ = answer.await;
        panic!("when polled");
    };
    let mut runs = call(&mut Limit::new(service_fn(inner), &limiter), receiver);
    assert_pending!(runs.poll());
    let ghost = panics_when_woken(&limiter);
    sender.send(()).expect("it waits");
    assert_panics(|| runs.poll());
    drop(ghost);
    assert_figures(&limiter, 0, 0);

    // The same with a call that is dropped half way.
    let inner = |()| {
        let bomb = Bomb;
        async move {
            let _owned = bomb;
            pending::<Result<(), Broken>>().await
        }
    };
    let mut runs = call(&mut Limit::new(service_fn(inner), &limiter), ());
    assert_pending!(runs.poll());
    let ghost = panics_when_woken(&limiter);
    assert_panics(|| drop(runs));
    drop(ghost);
    assert_figures(&limiter, 0, 0);
}

/// A service that is ready at first; the second poll runs an action.
struct Once<F>(Cell<bool>, F);

impl<F: Fn() -> Poll<Result<(), Broken>>> Service<u32> for Once<F> {
    type Response = u32;
    type Error = Broken;
    type Future = Ready<Result<u32, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.0.replace(true) { (self.1)() } else { Poll::Ready(Ok(())) }
    }

    fn call(&mut self, request: u32) -> Self::Future {
        std::future::ready(Ok(request))
    }
}

#[test]
fn an_inner_service_that_panics_when_asked_again_leaves_nothing_reserved() {
    let limiter = Arc::new(Limiter::new("tower-panics-ready", 1));
    let layer = LimitLayer::new(&limiter).reserving();
    let mut service = layer.layer(Once(Cell::new(false), || panic!("when asked")));
    assert_ready_ok!(poll_ready(&mut service));
    assert_figures(&limiter, 1, 0);
    assert_panics(|| poll_ready(&mut service));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn the_error_of_an_inner_service_comes_through_although_a_waker_panics() {
    let limiter = Arc::new(Limiter::new("tower-panics-not-ready", 1));
    let layer = LimitLayer::new(&limiter).reserving();
    let mut service = layer.layer(Once(Cell::new(false), || Poll::Ready(Err(Broken))));
    assert_ready_ok!(poll_ready(&mut service));
    let ghost = panics_when_woken(&limiter);
    assert_eq!(assert_ready!(poll_ready(&mut service)), Err(Broken));
    drop(ghost);
    assert_figures(&limiter, 0, 0);
}

#[cfg(feature = "http-body")]
mod bodies {
    use super::{Broken, assert_figures, assert_panics, panics_when_woken};
    use futures::channel::mpsc;
    use http_body::{Body, Frame, SizeHint};
    use http_body_util::{BodyExt, StreamBody};
    use limit_runtime::Limiter;
    use limit_runtime::tower::PermitBody;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use tokio_test::{assert_ready, task};

    type Item = Result<Frame<&'static [u8]>, Broken>;

    #[test]
    fn the_last_frame_of_a_body_comes_through_although_a_waker_panics() {
        let limiter = Limiter::new("tower-panics-body", 1);
        let trailers = || Ok(Frame::trailers(http::HeaderMap::new()));
        for (last, is_error) in [(trailers(), false), (Err(Broken), true)] {
            let (feed, frames) = mpsc::unbounded::<Item>();
            let permit = limiter.try_acquire().expect("a permit is free");
            let mut body = PermitBody::new(StreamBody::new(frames), Some(permit));
            let ghost = panics_when_woken(&limiter);
            feed.unbounded_send(last).expect("the body is there");
            let frame = assert_ready!(task::spawn(body.frame()).poll()).expect("a frame");
            assert_eq!(frame.is_err(), is_error);
            drop(ghost);
            assert_figures(&limiter, 0, 0);
        }
    }

    /// A body that panics when it is polled for a frame.
    struct Panics;

    impl Body for Panics {
        type Data = &'static [u8];
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
            panic!("when polled")
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::default()
        }
    }

    #[test]
    fn a_body_that_panics_has_failed() {
        let limiter = Limiter::new("tower-panics-frame", 1);
        let permit = limiter.try_acquire().expect("a permit is free");
        let mut body = PermitBody::new(Panics, Some(permit));
        let ghost = panics_when_woken(&limiter);
        assert_panics(|| task::spawn(body.frame()).poll());
        drop(ghost);
        assert_figures(&limiter, 0, 0);
    }
}
