//! A body that runs only as long as the lease of its permit.

use crate::permit::Permit;
use crate::rejected::Rejected;
use std::future::Future;

/// The end of a body, as the attribute's code matches on it.
#[derive(Debug)]
pub enum Ended<T> {
    /// The body ran to its end, with this value.
    Finished(T),
    /// The body was dropped, because its lease is lost.
    Refused(Rejected),
}

/// Runs a body to its end, or drops it when the lease of its permit is lost.
#[cfg(feature = "fleet")]
pub async fn while_leased<T>(permit: &Permit, body: impl Future<Output = T>) -> Ended<T> {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    let ended = {
        let (mut body, mut lost) = (pin!(body), pin!(permit.lease_lost()));
        // The lease comes first: a body without one is not polled.
        let poll = poll_fn(|context| match lost.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => body.as_mut().poll(context).map(Some),
        });
        poll.await
        // The body is dropped here, before it counts as refused.
    };
    match ended {
        Some(value) => Ended::Finished(value),
        None => Ended::Refused(crate::limiter::refuse_without_lease(permit)),
    }
}

/// Runs a body to its end. Without the feature `fleet` there are no leases.
#[cfg(not(feature = "fleet"))]
pub async fn while_leased<T>(_: &Permit, body: impl Future<Output = T>) -> Ended<T> {
    Ended::Finished(body.await)
}
