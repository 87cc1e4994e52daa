//! What other crates make of a [`Rejected`](crate::Rejected), each behind the feature that is named
//! after it.

#[cfg(feature = "axum-08")]
mod axum;
#[cfg(feature = "tonic-014")]
mod tonic;

#[cfg(any(feature = "axum-08", feature = "tonic-014"))]
use {
    crate::rejected::{Rejected, RejectedKind},
    std::time::Duration,
};

/// What clients are told where there is no estimate yet. One is there from the second refusal on, if a
/// permit has come back in between; and the least that HTTP can say is one second.
#[cfg(any(feature = "axum-08", feature = "tonic-014"))]
const WITHOUT_ESTIMATE: Duration = Duration::from_secs(1);

/// After which time a client is told to ask again; nothing, where that is no help (too heavy) or nobody
/// can know (closed).
#[cfg(any(feature = "axum-08", feature = "tonic-014"))]
fn ask_again_after(rejected: &Rejected) -> Option<Duration> {
    match rejected.kind() {
        RejectedKind::NoPermits
        | RejectedKind::QueueFull
        | RejectedKind::TimedOut
        | RejectedKind::Evicted => Some(rejected.retry_after().unwrap_or(WITHOUT_ESTIMATE)),
        RejectedKind::TooHeavy | RejectedKind::Closed => None,
    }
}
