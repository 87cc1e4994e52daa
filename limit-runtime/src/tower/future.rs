//! A call of a service behind a limiter.

use super::hold::Hold;
use super::refusals::Refusals;
use super::reserve::Reserve;
use crate::admission::Admission;
use crate::permit::Permit;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The response of a [`Limit`](super::Limit): waits for the permit, then for the inner service.
    ///
    /// Dropping it at any time gives back its permit or its place in the queue.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, Request, E, R, H>
    where
        S: Service<Request>,
        E: Admission,
    {
        #[pin]
        state: State<S, S::Future, Request, E>,
        refusals: R,
        hold: H,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, Request, E: Admission> {
        Waiting {
            reserve: Reserve<E>,
            // Until there is a permit.
            call: Option<(S, Request)>,
        },
        Running {
            // Before the permit, so that it is dropped before it.
            #[pin]
            response: F,
            permit: Option<Permit>,
        },
        Done,
    }
}

impl<S: Service<Request>, Request, E: Admission, R, H> ResponseFuture<S, Request, E, R, H> {
    pub(super) fn new(
        ready: S,
        request: Request,
        reserve: Reserve<E>,
        refusals: R,
        hold: H,
    ) -> Self {
        Self { state: State::Waiting { reserve, call: Some((ready, request)) }, refusals, hold }
    }
}

impl<S, Request, E, R, H> Future for ResponseFuture<S, Request, E, R, H>
where
    S: Service<Request>,
    E: Admission,
    R: Refusals<E, S::Response, S::Error>,
    H: Hold<S::Response>,
{
    type Output = Result<H::Held, R::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Waiting { reserve, call } => match ready!(reserve.poll(context)) {
                    Ok(permit) => {
                        let (mut service, request) = call.take().expect("not called yet");
                        let response = service.call(request);
                        this.state.set(State::Running { response, permit: Some(permit) });
                    }
                    Err(refusal) => {
                        this.state.set(State::Done);
                        let response = this.refusals.clone().refused(refusal)?;
                        return Poll::Ready(Ok(this.hold.clone().hold(response, None)));
                    }
                },
                StateProjection::Running { response, permit } => {
                    let result = ready!(response.poll(context));
                    let permit = permit.take();
                    this.state.set(State::Done);
                    // Here, if it is an error, the permit goes.
                    let response = result.map_err(R::error)?;
                    return Poll::Ready(Ok(this.hold.clone().hold(response, permit)));
                }
                StateProjection::Done => panic!("`ResponseFuture` polled after it was ready"),
            }
        }
    }
}

impl<S: Service<Request>, Request, E: Admission, R, H> fmt::Debug
    for ResponseFuture<S, Request, E, R, H>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
