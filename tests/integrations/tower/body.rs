//! Permits that stay with a response's body.

use super::{Broken, answered, call};
use futures::channel::mpsc;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use limit_runtime::tower::{LimitLayer, PermitBody, SharedPermit};
use limit_runtime::{Limiter, Permit};
use limit_tests::figures::assert_figures;
use std::cell::RefCell;
use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, service_fn};

type Data = &'static [u8];
type Item = Result<Frame<Data>, Broken>;

fn send(feed: &mpsc::UnboundedSender<Item>, frame: Item) {
    feed.unbounded_send(frame).expect("the body is there");
}

/// Answers with the body of the request.
async fn echo<B>(request: Request<B>) -> Result<Response<B>, Infallible> {
    Ok(Response::new(request.into_body()))
}

/// Returns the response of a service with this body, and its limiter, which has one permit.
#[track_caller]
fn respond<B: Body>(body: B) -> (Arc<Limiter>, Response<PermitBody<B>>) {
    let limiter = Arc::new(Limiter::new("tower-body", 1));
    let mut service = LimitLayer::new(&limiter).until_body_end().layer(service_fn(echo));
    let response =
        assert_ready!(call(&mut service, Request::new(body)).poll()).expect("it answers");
    // A body that is over from the start holds no permit.
    let in_use = usize::from(!response.body().is_end_stream());
    assert_figures(&limiter, in_use, 0);
    (limiter, response)
}

/// A response's body whose frames the test sends by hand.
fn streamed() -> (mpsc::UnboundedSender<Item>, StreamBody<mpsc::UnboundedReceiver<Item>>) {
    let (sender, receiver) = mpsc::unbounded();
    (sender, StreamBody::new(receiver))
}

#[test]
fn it_is_held_to_the_end_of_the_body() {
    let (feed, body) = streamed();
    let (limiter, response) = respond(body);
    let mut body = response.into_body();
    let mut service = LimitLayer::new(&limiter).layer(service_fn(echo));
    let mut next = call(&mut service, Request::new(()));
    assert_pending!(next.poll());

    assert_pending!(task::spawn(body.frame()).poll());
    for chunk in [&b"one"[..], b"two"] {
        send(&feed, Ok(Frame::data(chunk)));
        let frame = assert_ready!(task::spawn(body.frame()).poll()).expect("a frame");
        assert_eq!(frame.expect("no error").into_data().ok(), Some(chunk));
        assert_figures(&limiter, 1, 1);
    }
    drop(feed);
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_none());
    answered(&mut next).expect("it answers");
    assert_figures(&limiter, 0, 0);
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_none(), "and again");
}

#[test]
fn it_is_held_until_the_body_fails() {
    let (feed, body) = streamed();
    let (limiter, mut response) = respond(body);
    send(&feed, Err(Broken));
    let frame = assert_ready!(task::spawn(response.body_mut().frame()).poll());
    assert_eq!(frame.expect("a frame").err(), Some(Broken));
    assert_figures(&limiter, 0, 0);
    drop(response);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn it_is_held_until_the_body_is_dropped() {
    let (feed, body) = streamed();
    let (limiter, response) = respond(body);
    let mut body = response.into_body();
    send(&feed, Ok(Frame::data(b"one")));
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_some());
    drop(body);
    assert_figures(&limiter, 0, 0);

    let (limiter, response) = respond(Full::new(&b"never read"[..]));
    drop(response);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn trailers_come_through_and_are_the_end() {
    let (feed, body) = streamed();
    let (limiter, response) = respond(body);
    let mut body = response.into_body();
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("7"));
    send(&feed, Ok(Frame::trailers(trailers.clone())));
    let frame = assert_ready!(task::spawn(body.frame()).poll()).expect("a frame");
    assert_eq!(frame.expect("no error").into_trailers().ok(), Some(trailers));
    assert_figures(&limiter, 0, 0);
    drop(feed);
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_none());
}

#[test]
fn what_is_known_of_the_body_stays_known() {
    let (limiter, response) = respond(Full::new(&b"four"[..]));
    let mut body = response.into_body();
    assert_eq!(body.size_hint().exact(), Some(4));
    assert!(!body.is_end_stream());
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_some());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.is_end_stream());
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_none());
    assert_figures(&limiter, 0, 0);

    // A reader that sees the end of the body does not poll again.
    let (limiter, response) = respond(Full::new(&b"four"[..]));
    let mut body = response.into_body();
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_some());
    assert!(body.is_end_stream());
    assert_figures(&limiter, 0, 0);

    let (_limiter, response) = respond(Empty::<Data>::new());
    assert_eq!(response.body().size_hint().exact(), Some(0));
    assert!(response.body().is_end_stream());

    let (_feed, body) = streamed();
    let (_limiter, response) = respond(body);
    assert_eq!(response.body().size_hint().exact(), None);
    assert!(!response.body().is_end_stream());
}

#[test]
fn an_empty_body_holds_none() {
    let (limiter, response) = respond(Empty::<Data>::new());
    assert_figures(&limiter, 0, 0);
    let mut body = response.into_body();
    assert!(assert_ready!(task::spawn(body.frame()).poll()).is_none());
    assert_figures(&limiter, 0, 0);
}

#[test]
fn the_head_stays_as_it_is() {
    let limiter = Arc::new(Limiter::new("tower-head", 1));
    let inner = service_fn(|request: Request<u16>| {
        let status = request.into_body();
        let response =
            Response::builder().status(status).header("etag", "7").body(Empty::<Data>::new());
        ready(response.map_err(|_| Broken))
    });
    let mut service = LimitLayer::new(&limiter).until_body_end().layer(inner);
    let response = assert_ready!(call(&mut service, Request::new(204)).poll()).expect("it answers");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["etag"]),
        (204, &"7".parse().unwrap())
    );
    drop(response);

    assert_eq!(assert_ready!(call(&mut service, Request::new(1)).poll()).err(), Some(Broken));
    assert_figures(&limiter, 0, 0);
}

/// A body that on its drop notes how many permits are out.
struct Witness<'a>(&'a Limiter, &'a RefCell<Vec<usize>>);

impl Body for Witness<'_> {
    type Data = Data;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Data>, Infallible>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(7)
    }
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0.snapshot().total.in_use);
    }
}

#[test]
fn the_body_is_dropped_before_the_permit() {
    let seen = RefCell::new(Vec::new());
    let limiter = Limiter::new("tower-witnessed", 1);
    let permit = limiter.try_acquire().expect("a permit is free");
    let mut body = PermitBody::new(Witness(&limiter, &seen), Some(permit));
    assert_eq!(body.size_hint().exact(), Some(7));
    assert_pending!(task::spawn(body.frame()).poll());
    drop(body);
    assert_eq!(*seen.borrow(), [1]);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_refused_calls_body_holds_none() {
    let limiter = Arc::new(Limiter::new("tower-refused", 1).max_waiting(0));
    let layer = LimitLayer::new(&limiter)
        .on_reject(|rejected| Response::new(Full::new(rejected.to_string().into_bytes().into())))
        .until_body_end();
    let mut service = layer.layer(service_fn(echo::<Full<std::collections::VecDeque<u8>>>));
    let body = || Full::new(std::collections::VecDeque::from([7]));
    let served =
        assert_ready!(call(&mut service, Request::new(body())).poll()).expect("it answers");
    assert_figures(&limiter, 1, 0);
    let refused =
        assert_ready!(call(&mut service, Request::new(body())).poll()).expect("it answers");
    assert!(refused.body().size_hint().lower() > 0, "it says why");
    drop(served);
    assert_figures(&limiter, 0, 0);
    let _held = limiter.try_acquire().expect("the refused response has none");
    drop(refused);
    assert_figures(&limiter, 1, 0);
}

#[test]
fn a_reserved_permit_stays_with_the_body_too() {
    let limiter = Arc::new(Limiter::new("tower-reserved", 1));
    let layer = LimitLayer::new(&limiter).until_body_end().reserving();
    let mut service = layer.layer(service_fn(echo));
    let response = assert_ready!(call(&mut service, Request::new(Full::new(&b"one"[..]))).poll());
    assert_pending!(super::poll_ready::<_, Request<Full<Data>>>(&mut service));
    assert_figures(&limiter, 1, 1);
    drop(response);
    assert_figures(&limiter, 1, 0);
    drop(service);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn by_hand_it_goes_into_any_body() {
    let limiter = Arc::new(Limiter::new("tower-by-hand", 1));
    let layer = LimitLayer::new(&limiter).hand_over(|response: Response<_>, permit| {
        response.map(|body: Full<Data>| PermitBody::new(body, permit).boxed_unsync())
    });
    let mut service = layer.layer(service_fn(echo));
    let response = assert_ready!(call(&mut service, Request::new(Full::new(&b"one"[..]))).poll());
    assert_figures(&limiter, 1, 0);
    let body = response.expect("it answers").into_body();
    let collected = assert_ready!(task::spawn(body.collect()).poll()).expect("no error");
    assert_eq!(collected.to_bytes().as_ref(), b"one");
    assert_figures(&limiter, 0, 0);
    let none: Option<Permit> = None;
    assert!(PermitBody::new(Empty::<Data>::new(), none).is_end_stream());
}

#[test]
fn whoever_takes_it_out_of_the_request_holds_it_too() {
    let limiter = Arc::new(Limiter::new("tower-shared", 1));
    let taken = RefCell::new(None);
    let inner = service_fn(async |mut request: Request<Full<Data>>| {
        *taken.borrow_mut() = request.extensions_mut().remove::<SharedPermit>();
        echo(request).await
    });
    let mut service = LimitLayer::new(&limiter).until_body_end().layer(inner);
    let mut respond = || {
        let request = Request::new(Full::new(&b"one"[..]));
        assert_ready!(call(&mut service, request).poll()).expect("it answers")
    };
    // Both orders of the drops.
    let response = respond();
    drop(response);
    assert_figures(&limiter, 1, 0);
    let clone = taken.borrow().clone();
    drop(taken.take());
    assert_figures(&limiter, 1, 0);
    drop(clone);
    assert_figures(&limiter, 0, 0);

    let response = respond();
    drop(taken.take().expect("the permit is in the request"));
    assert_figures(&limiter, 1, 0);
    drop(response);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn in_the_request_are_the_permits_of_all_limits_around_it() {
    let (outer, inner) =
        (Arc::new(Limiter::new("tower-outer", 1)), Arc::new(Limiter::new("tower-inner", 1)));
    let taken = RefCell::new(None);
    let handler = service_fn(async |mut request: Request<Full<Data>>| {
        *taken.borrow_mut() = request.extensions_mut().remove::<SharedPermit>();
        echo(request).await
    });
    let service = LimitLayer::new(&inner).until_body_end().reserving().layer(handler);
    // The reserving service is not `Clone` here, and need not be.
    let mut service = LimitLayer::new(&outer).until_body_end().reserving().layer(service);
    let response = assert_ready!(call(&mut service, Request::new(Full::new(&b"one"[..]))).poll());
    drop(response);
    assert_figures(&outer, 1, 0);
    assert_figures(&inner, 1, 0);
    drop(taken.take().expect("the permits are in the request"));
    assert_figures(&outer, 0, 0);
    assert_figures(&inner, 0, 0);
}
