//! The body of an HTTP response, with the permit of the call.

use super::hold::Hold;
use super::sealed::Sealed;
use super::shared::SharedPermit;
use crate::permit::Permit;
use crate::unwind::Quiet;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The [`Hold`] of a [`Limit`](super::Limit) whose permit stays with the body of the HTTP response.
///
/// A handler that has taken the [`SharedPermit`] out of the request holds the permit as well.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UntilBodyEnd;

impl Sealed for UntilBodyEnd {}

impl<A, B: Body> Hold<Request<A>, Response<B>> for UntilBodyEnd {
    type Held = Response<PermitBody<B>>;
    type Permit = Arc<Permit>;

    fn lend(&self, permit: Quiet<Permit>, request: &mut Request<A>) -> Quiet<Arc<Permit>> {
        let extensions = request.extensions_mut();
        let (ours, the_requests) = SharedPermit::lend(permit.into_inner(), extensions.remove());
        extensions.insert(the_requests);
        Quiet::new(ours)
    }

    fn hold(self, response: Response<B>, permit: Option<Quiet<Arc<Permit>>>) -> Self::Held {
        response.map(|body| {
            // A server need not poll a body that has ended: it would hold the permit for ever.
            let permit = permit.filter(|_| !body.is_end_stream());
            PermitBody {
                body,
                permit: permit
                    .map(|permit| permit.map(|permit| HeldPermit::Shared { _permit: permit })),
            }
        })
    }
}

pin_project! {
    /// A body that holds a permit until it has ended or failed, or is dropped.
    ///
    /// # Examples
    ///
    /// A function with a limit makes such a body by hand:
    ///
    /// ```
    /// use http::Response;
    /// use limit_runtime::tower::PermitBody;
    /// use limit_runtime::concurrency_limit;
    ///
    /// #[concurrency_limit(4, permit = permit, name = "reports")]
    /// async fn report() -> Response<PermitBody<String>> {
    ///     Response::new(PermitBody::new(String::from("all is well"), Some(permit)))
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let response = report().await;
    /// let reports = limit_runtime::find("reports").unwrap();
    /// assert_eq!(reports.snapshot().total.in_use, 1);
    /// drop(response);
    /// assert_eq!(reports.snapshot().total.in_use, 0);
    /// # }
    /// ```
    #[derive(Debug, Default)]
    pub struct PermitBody<B> {
        #[pin]
        body: B,
        permit: Option<Quiet<HeldPermit>>,
    }
}

#[derive(Debug)]
enum HeldPermit {
    Own { _permit: Permit },
    Shared { _permit: Arc<Permit> },
}

impl<B> PermitBody<B> {
    /// Makes a body that holds a permit, if there is one.
    #[must_use]
    pub fn new(body: B, permit: Option<Permit>) -> Self {
        Self { body, permit: permit.map(|permit| Quiet::new(HeldPermit::Own { _permit: permit })) }
    }
}

impl<B: Body> Body for PermitBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        // The permit is not in the body while foreign code runs: an inner body that panics has
        // failed, and its permit comes back.
        let permit = this.permit.take();
        let polled = this.body.as_mut().poll_frame(context);
        // A server need not poll again after the trailers, or when the body says that it has ended.
        let has_ended = match &polled {
            Poll::Pending => false,
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || this.body.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => true,
        };
        if !has_ended {
            *this.permit = permit;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
