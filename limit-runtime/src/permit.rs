//! The permit that a call holds while it runs.

use crate::recorder::CallRecord;
use crate::semaphore::{Held, Permits};
use std::fmt;

/// The right to run under a limit. A call holds its permit from before its body starts until the
/// last local and temporary of the body is dropped.
///
/// Dropping a permit gives it back, and the next waiter is admitted. A permit is `Send`, `Sync` and
/// `'static`. It can move into a spawned task or into a returned stream, and counts against the
/// limit until it is dropped there. It may outlive its runtime and its limiter.
///
/// A permit that is never dropped ([`std::mem::forget`]) is lost for good: the limit is lower by
/// the permit's weight.
///
/// # Examples
///
/// ```
/// use limit_runtime::Limiter;
///
/// static DB: Limiter = Limiter::new("permit-example", 1);
///
/// let permit = DB.try_acquire()?;
/// assert!(DB.try_acquire().is_err());
/// drop(permit);
/// assert!(DB.try_acquire().is_ok());
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[must_use = "dropping a permit gives it back at once"]
pub struct Permit {
    permits: Permits,
    /// The listing of this holder. Empty without the feature `diagnostics`.
    record: CallRecord,
}

impl Permit {
    #[inline]
    pub(crate) fn new(held: Held, record: CallRecord) -> Self {
        Self { permits: held.into_permits(), record }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        // The record ends first: readers must never see this holder beside the next one. The guard
        // reports the hold and frees the record at the end of this scope, also if a woken task
        // panics.
        let _ended = self.record.end();
        self.permits.give_back();
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("weight", &self.permits.weight()).finish_non_exhaustive()
    }
}
