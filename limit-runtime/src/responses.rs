//! Conversions of [`Rejected`](crate::Rejected) to the responses of other crates, each behind a
//! feature named after the crate.

#[cfg(feature = "axum-08")]
mod axum;
#[cfg(feature = "tonic-014")]
mod tonic;

use crate::rejected::{Rejected, RejectedKind};
use std::time::Duration;

/// The time that clients are told if there is no estimate, because nothing has come back lately. One second
/// is the shortest time that HTTP can say.
const WITHOUT_ESTIMATE: Duration = Duration::from_secs(1);

/// Returns the time after which a client should try again. Returns `None` if another attempt does
/// not help (too heavy) or the time cannot be known (closed). With the response, the call gives up what
/// it holds, so another attempt helps after a deadlock.
fn ask_again_after(rejected: &Rejected) -> Option<Duration> {
    match rejected.kind() {
        RejectedKind::NoPermits
        | RejectedKind::QueueFull
        | RejectedKind::TimedOut
        | RejectedKind::WouldTimeOut
        | RejectedKind::Evicted
        | RejectedKind::Unavailable
        | RejectedKind::Deadlock => Some(rejected.retry_after().unwrap_or(WITHOUT_ESTIMATE)),
        RejectedKind::TooHeavy | RejectedKind::Closed => None,
    }
}
