//! The permit that a call holds while it runs.

mod all;
#[cfg(feature = "fleet")]
mod lease;

use crate::recorder::{CallRecord, Polling};
use crate::semaphore::{Held, Permits};
pub use all::AllPermits;
use std::fmt;
use std::mem;
use std::time::Duration;

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
    /// Returns the number of permits that this one stands for: the call's weight, or 0 if the limit did not
    /// hold for the call.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.permits.weight()
    }

    /// Takes a part of the permits, to give it back on its own. Returns `None`, and changes nothing, if there
    /// are fewer than `weight`. [Subscribers](crate::Limiter::subscribe) hear of each part that comes back.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static MEGABYTES: Limiter = Limiter::new("split-example", 512);
    ///
    /// let mut permit = MEGABYTES.try_acquire_many(200)?;
    /// let upper_half = permit.split(100).expect("there are 200");
    /// drop(upper_half);
    /// assert_eq!((permit.weight(), MEGABYTES.snapshot().total.in_use), (100, 100));
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[must_use = "dropping the part gives it back at once"]
    pub fn split(&mut self, weight: u32) -> Option<Self> {
        let is_all = weight == self.weight();
        let part = self.permits.split(weight)?;
        let record = match weight {
            // Nothing holds no permits, and is not listed.
            0 => CallRecord::NONE,
            _ if is_all => mem::replace(&mut self.record, CallRecord::NONE),
            _ => self.record.split(weight, part.place()),
        };
        Some(Self { permits: part.into_permits(), record })
    }

    /// Adds the permits of another call to this one. With [`per`](crate::Limiter::per), the window of both begins
    /// with the later start.
    ///
    /// # Errors
    ///
    /// The other permit, if it belongs to another limiter, runtime or key, or if the sum is more than
    /// `u32::MAX`. Neither is changed.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static MEGABYTES: Limiter = Limiter::new("merge-example", 512);
    ///
    /// let mut permit = MEGABYTES.try_acquire_many(200)?;
    /// permit.merge(MEGABYTES.try_acquire_many(50)?).expect("both are of one limiter");
    /// assert_eq!(permit.weight(), 250);
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    pub fn merge(&mut self, mut other: Self) -> Result<(), Self> {
        let weight = other.weight();
        let permits = other.permits.take();
        let record = mem::replace(&mut other.record, CallRecord::NONE);
        // Nothing is left in it, and its `Drop` would tell of permits that come back.
        mem::forget(other);
        match self.permits.merge(permits) {
            Ok(()) => {
                self.record.merge(record, weight, self.permits.place());
                Ok(())
            }
            Err(held) => Err(Self { permits: held.into_permits(), record }),
        }
    }

    /// Gives the permit back, and marks the call as one that found its backend overloaded: it was answered
    /// with 429 or 503, or ran out of time. A limit that adapts goes down when more than a tenth of the calls say so.
    /// Other limits take no notice.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static API: Limiter = Limiter::adaptive("overloaded-example", 1..=100);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let permit = API.acquire().await;
    /// let status = 503; // the answer
    /// if status == 503 {
    ///     permit.overloaded();
    /// }
    /// # }
    /// ```
    pub fn overloaded(self) {
        self.overloaded_for(Duration::ZERO);
    }

    /// Does the same as [`overloaded`](Self::overloaded), and holds new calls off for some time, as an answer with
    /// `Retry-After` asks for. They wait, or are refused if they may not wait. The longest time is 60 seconds.
    ///
    /// Calls that wait may be let in a quarter of a second late.
    pub fn overloaded_for(self, hold_off: Duration) {
        self.permits.mark_overloaded(hold_off);
    }

    /// Gives the permit back, and leaves the call out of account. A limit that adapts does not learn from its time:
    /// the call was answered from a cache, or did nothing.
    pub fn ignore(self) {
        self.permits.mark_ignored();
    }

    /// Marks the call as one that found its backend overloaded, before the permit is given back.
    pub(crate) fn mark_overloaded(&self, hold_off: Duration) {
        self.permits.mark_overloaded(hold_off);
    }

    /// Leaves the call out of what a limit that adapts learns, before the permit is given back: its panic was caught, so the
    /// permit does not see it.
    #[cfg(any(feature = "task", feature = "tower"))]
    pub(crate) fn mark_panicked(&self) {
        self.permits.mark_ignored();
    }

    /// Marks the call as one that was cancelled, before the permit is given back.
    pub(crate) fn mark_cancelled(&self) {
        self.permits.mark_cancelled();
    }

    /// Without the feature `fleet` there are no leases.
    #[cfg(all(feature = "tower", not(feature = "fleet")))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) fn has_lost_lease(&self) -> bool {
        false
    }

    /// The permits, for a call that asks for more of them.
    pub(crate) fn permits(&self) -> &Permits {
        &self.permits
    }

    /// Adds permits that the call has asked for.
    pub(crate) fn add(&mut self, more: Held) {
        let weight = more.weight();
        self.permits.add(more);
        self.record.merge(CallRecord::NONE, weight, self.permits.place());
    }

    /// Leaves the call out of what a limit that adapts learns: it has waited while it held permits.
    pub(crate) fn has_waited_inside(&self) {
        self.permits.mark_ignored();
    }

    /// The index of the limiter. `None` for a permit of weight 0, which belongs to nobody.
    pub(crate) fn owner(&self) -> Option<u32> {
        self.permits.owner()
    }

    /// Takes the permits out, and ends the listing of this holder.
    pub(crate) fn into_held(mut self) -> Held {
        let _ended = self.record.end();
        let held = self.permits.take();
        // Nothing is left in it, and its `Drop` would tell of permits that come back.
        mem::forget(self);
        held
    }

    /// Notes that the permit goes to another task, which polls a future under it.
    pub(crate) fn hand_over(&self) {
        self.record.hand_over();
    }

    /// Notes that a future is polled that runs under the permit. The result is dropped before the permit.
    #[cfg(any(feature = "task", feature = "tower"))]
    #[inline]
    pub(crate) fn polling(&self) -> Polling {
        self.record.polling()
    }

    /// Notes that work runs under the permit that blocks the thread, and may drop the permit.
    pub(crate) fn working(&self) -> Polling {
        self.record.working()
    }

    /// It stands apart, so that a permit that is not recorded is given back in place.
    #[inline(never)]
    fn end_record_and_give_back(&mut self) {
        // The record ends first: readers must never see this holder beside the next one. The guard
        // reports the hold and frees the record at the end of this scope, also if a woken task
        // panics.
        let _ended = self.record.end();
        self.permits.give_back();
    }

    #[inline]
    pub(crate) fn new(held: Held, record: CallRecord) -> Self {
        Self { permits: held.into_permits(), record }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if self.record.is_some() {
            self.end_record_and_give_back();
        } else {
            self.permits.give_back();
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("weight", &self.permits.weight()).finish_non_exhaustive()
    }
}
