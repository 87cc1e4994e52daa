//! The counts of calls that were refused without the lock.

use crate::metrics::RejectedCounts;
use crate::sync::{AtomicU64, Ordering};

/// Counts of the calls that the word has refused since the semaphore was bound last.
///
/// A call counts itself after the load that has decided about it. If the semaphore is unbound in
/// between, because the call's runtime ends, the refusal counts for the next binding.
///
/// They lie beside the hint, which no call reads that takes its permits from the word.
#[derive(Debug)]
pub(super) struct RefusedByWord {
    pub(super) no_permits: AtomicU64,
    pub(super) queue_full: AtomicU64,
}

impl RefusedByWord {
    pub(super) fn new() -> Self {
        Self { no_permits: AtomicU64::new(0), queue_full: AtomicU64::new(0) }
    }

    /// Returns the counts.
    pub(super) fn counts(&self) -> RejectedCounts {
        self.map(|count| count.load(Ordering::Relaxed))
    }

    /// Takes the counts out.
    pub(super) fn take(&self) -> RejectedCounts {
        self.map(|count| count.swap(0, Ordering::Relaxed))
    }

    fn map(&self, read: impl Fn(&AtomicU64) -> u64) -> RejectedCounts {
        RejectedCounts {
            no_permits: read(&self.no_permits),
            queue_full: read(&self.queue_full),
            ..RejectedCounts::default()
        }
    }
}
