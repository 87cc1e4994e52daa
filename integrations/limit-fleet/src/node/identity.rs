//! New identities for a process.

use super::backoff::mix;
use crate::message::NodeId;

/// Returns another identity of the same process.
///
/// Copies of one machine find out at about the same time that they share an identity, so that the next
/// number would be shared too. The clock tells them apart.
pub(super) fn renew(id: &NodeId, now: u64) -> NodeId {
    let number: u64 =
        id.0.rsplit_once('#').and_then(|(_, number)| number.parse().ok()).unwrap_or_default();
    let number = number.wrapping_add(1 + mix(now) % 1_000_000);
    NodeId(format!("{}#{number}", id.process()))
}
