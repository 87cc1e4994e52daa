//! A refusal as a gRPC status.

use super::ask_again_after;
use crate::rejected::{Rejected, RejectedKind};
use std::sync::Arc;
use std::time::Duration;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// The metadata key by which a server tells gRPC clients when to retry, in milliseconds. A negative
/// number means never. Source: gRFC A6, client retries, "pushback".
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// With the feature `tonic-014`: the code is `RESOURCE_EXHAUSTED`, `DEADLINE_EXCEEDED` if the
/// call timed out, `UNAVAILABLE` if the fleet cannot be reached, or `ABORTED` if the call gave way in a
/// deadlock. The message is the error's text, and the status's source is the refusal.
///
/// The metadata `grpc-retry-pushback-ms` is [`retry_after`](Rejected::retry_after) in milliseconds,
/// rounded up. Clients with a retry policy for the code obey it. It is 1000 if there is no
/// estimate, as when nothing has come back lately. It is -1, "do not retry", for a call that is too
/// heavy, which would be refused again. A refusal by a closed limiter has none: it is not known
/// when the limiter opens.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, Rejected};
/// use tonic::{Code, Request, Response, Status};
///
/// static LOOKUPS: Limiter<Rejected> = Limiter::new("tonic-example", 4).max_waiting(100);
///
/// // A method of a service.
/// async fn look_up(request: Request<u64>) -> Result<Response<String>, Status> {
///     let _permit = LOOKUPS.acquire().await?;
///     Ok(Response::new(format!("item {}", request.into_inner())))
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(look_up(Request::new(7)).await.unwrap().into_inner(), "item 7");
///
/// LOOKUPS.close();
/// let status = look_up(Request::new(7)).await.unwrap_err();
/// assert_eq!(status.code(), Code::ResourceExhausted);
/// # }
/// ```
impl From<Rejected> for Status {
    fn from(rejected: Rejected) -> Self {
        let code = match rejected.kind() {
            RejectedKind::TimedOut => Code::DeadlineExceeded,
            RejectedKind::NoPermits
            | RejectedKind::QueueFull
            | RejectedKind::WouldTimeOut
            | RejectedKind::TooHeavy
            | RejectedKind::Closed
            | RejectedKind::Evicted => Code::ResourceExhausted,
            RejectedKind::Unavailable => Code::Unavailable,
            RejectedKind::Deadlock => Code::Aborted,
        };
        let mut status = Self::new(code, rejected.to_string());
        let pushback = match rejected.kind() {
            RejectedKind::TooHeavy => Some(-1),
            _ => ask_again_after(&rejected).map(milliseconds),
        };
        if let Some(pushback) = pushback {
            status.metadata_mut().insert(PUSHBACK, MetadataValue::from(pushback));
        }
        status.set_source(Arc::new(rejected));
        status
    }
}

/// Rounds up. The key's values have 32 bits, signed.
fn milliseconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use crate::rejected::tests::deadlock;

    #[test]
    fn a_client_may_ask_again_after_a_deadlock() {
        let status = Status::from(deadlock());
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(status.metadata().get(PUSHBACK), Some(&MetadataValue::from(1000)));
    }

    #[test]
    fn milliseconds_are_rounded_up_and_fit() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(40)), 40);
        assert_eq!(milliseconds(Duration::MAX), i32::MAX);
    }
}
