//! The right to run.

use crate::recorder::CallRecord;
use crate::semaphore::{Held, Permits};
use std::fmt;

/// The right to run: what a call holds from before its body starts until after its last local and
/// temporary is dropped.
///
/// Dropping it gives it back and lets the next waiter in. It is `Send`, `Sync` and `'static`: it can
/// move into a spawned task or into a stream that is returned, and holds its place under the limit
/// until it is dropped there. It may outlive its runtime and its limiter.
///
/// A permit that is never dropped ([`std::mem::forget`]) is gone for good: the limit is one lower.
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
    /// Empty without the feature `diagnostics`.
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
        // The record ends before the permit is back, so that it is not seen beside the next holder's. It
        // is told of, and dropped, when the permit is back: also if somebody who is woken panics.
        let _ended = self.record.end();
        self.permits.give_back();
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("weight", &self.permits.weight()).finish_non_exhaustive()
    }
}
