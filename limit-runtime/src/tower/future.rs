//! A call of a service behind a limiter.

use super::hold::Hold;
use super::refusals::Refusals;
use crate::acquire::acquiring::Acquiring as _;
use crate::admission::Admission;
use crate::limiter::AcquireShared;
use crate::permit::Permit;
use crate::unwind::{Quiet, poll_to_end};
use pin_project_lite::pin_project;
use std::borrow::Borrow as _;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use tower_service::Service;

pin_project! {
    /// The response of a [`Limit`](super::Limit): waits for the permit, then for the inner service.
    ///
    /// Dropping it at any time gives back its permit, or leaves the queue. If the inner service
    /// panics, so does this future, and the permit has come back.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, Request, E, R, H>
    where
        S: Service<Request>,
        E: Admission,
        H: Hold<Request, S::Response>,
    {
        #[pin]
        state: Stage<Waiting<S, Request, E, R, H>, ReservedFuture<S, Request, E, R, H>>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<W, A> {
        // `None` once the inner service is called.
        Waiting { waiting: Option<W> },
        Admitted { #[pin] admitted: A },
    }
}

/// A call that waits for its permit.
struct Waiting<S, Request, E: Admission, R, H> {
    acquiring: AcquireShared<E>,
    service: S,
    request: Request,
    refusals: R,
    hold: H,
}

impl<S, Request, E, R, H> ResponseFuture<S, Request, E, R, H>
where
    S: Service<Request>,
    E: Admission,
    H: Hold<Request, S::Response>,
{
    pub(super) fn new(
        acquiring: AcquireShared<E>,
        service: S,
        request: Request,
        refusals: R,
        hold: H,
    ) -> Self {
        let waiting = Some(Waiting { acquiring, service, request, refusals, hold });
        Self { state: Stage::Waiting { waiting } }
    }
}

impl<S, Request, E, R, H> Future for ResponseFuture<S, Request, E, R, H>
where
    S: Service<Request>,
    E: Admission,
    R: Refusals<E, S::Response, S::Error>,
    H: Hold<Request, S::Response>,
{
    type Output = Result<H::Held, R::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StageProjection::Admitted { admitted } => return admitted.poll(context),
                StageProjection::Waiting { waiting } => {
                    let call = waiting.as_mut().expect("not polled after it was ready");
                    let result = ready!(call.acquiring.poll_permit(context)).map(Quiet::new);
                    // From here on the call waits no more, even if the inner service panics.
                    let call = waiting.take().expect("it was there");
                    let Waiting { acquiring, mut service, request, refusals, hold } = call;
                    drop(acquiring);
                    let admitted =
                        ReservedFuture::new(&mut service, request, result, refusals, hold);
                    state.set(Stage::Admitted { admitted });
                }
            }
        }
    }
}

impl<S, Request, E, R, H> fmt::Debug for ResponseFuture<S, Request, E, R, H>
where
    S: Service<Request>,
    E: Admission,
    H: Hold<Request, S::Response>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The response of a [`Limit`](super::Limit) that is [reserving](super::LimitLayer::reserving):
    /// waits for the inner service, which has been called.
    ///
    /// Dropping it at any time gives back its permit. If the inner service panics, so does this
    /// future, and the permit has come back.
    #[must_use = "futures do nothing unless polled"]
    pub struct ReservedFuture<S, Request, E, R, H>
    where
        S: Service<Request>,
        H: Hold<Request, S::Response>,
    {
        // Stands before the permit, so that it is dropped first.
        #[pin]
        response: Option<S::Future>,
        permit: Option<Quiet<H::Permit>>,
        // The refusal of a call. There is neither a response nor a permit then.
        refusal: Option<E>,
        refusals: R,
        hold: H,
    }

    impl<S, Request, E, R, H> PinnedDrop for ReservedFuture<S, Request, E, R, H>
    where
        S: Service<Request>,
        H: Hold<Request, S::Response>,
    {
        fn drop(this: Pin<&mut Self>) {
            // There is a permit until the inner service has answered. The permit of a call that panics says so itself
            // when it comes back.
            if let Some(permit) = this.project().permit.as_ref().filter(|_| !thread::panicking()) {
                permit.get().borrow().mark_cancelled();
            }
        }
    }
}

impl<S, Request, E, R, H> ReservedFuture<S, Request, E, R, H>
where
    S: Service<Request>,
    H: Hold<Request, S::Response>,
{
    /// Calls the service, if there is a permit.
    pub(super) fn new(
        service: &mut S,
        mut request: Request,
        result: Result<Quiet<Permit>, E>,
        refusals: R,
        hold: H,
    ) -> Self {
        match result {
            Ok(permit) => {
                let permit = Some(hold.lend(permit, &mut request));
                let response = Some(service.call(request));
                Self { response, permit, refusal: None, refusals, hold }
            }
            Err(refusal) => {
                Self { response: None, permit: None, refusal: Some(refusal), refusals, hold }
            }
        }
    }
}

impl<S, Request, E, R, H> Future for ReservedFuture<S, Request, E, R, H>
where
    S: Service<Request>,
    R: Refusals<E, S::Response, S::Error>,
    H: Hold<Request, S::Response>,
{
    type Output = Result<H::Held, R::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(refusal) = this.refusal.take() {
            let response = this.refusals.clone().refused(refusal)?;
            return Poll::Ready(Ok(this.hold.clone().hold(response, None)));
        }
        let polling = this.permit.as_ref().map(|permit| permit.get().borrow().polling());
        let result = ready!(poll_to_end(this.response, context));
        drop(polling);
        // From here on the response may hold it, wherever that goes.
        if let Some(permit) = &this.permit {
            permit.get().borrow().hand_over();
        }
        let permit = this.permit.take();
        match result {
            Ok(Ok(response)) => Poll::Ready(Ok(this.hold.clone().hold(response, permit))),
            Ok(Err(error)) => {
                drop(permit);
                Poll::Ready(Err(R::error(error)))
            }
            Err(panic) => {
                if let Some(permit) = &permit {
                    permit.get().borrow().mark_panicked();
                }
                drop(permit);
                resume_unwind(panic)
            }
        }
    }
}

impl<S, Request, E, R, H> fmt::Debug for ReservedFuture<S, Request, E, R, H>
where
    S: Service<Request>,
    H: Hold<Request, S::Response>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReservedFuture").finish_non_exhaustive()
    }
}
