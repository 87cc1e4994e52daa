//! The permits of a call for several limits.

use super::Permit;
use std::time::Duration;

/// The permits that a call holds of several limits: what [`acquire_all`](crate::acquire_all) gives.
///
/// Dropping it gives all of them back. As a [`Permit`], it is `Send`, `Sync` and `'static`, can move anywhere, and
/// counts against the limits until it is dropped there.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, acquire_all};
///
/// static CPU: Limiter = Limiter::new("all-permits-cpu", 4);
/// static DISK: Limiter = Limiter::new("all-permits-disk", 1);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let [cpu, disk] = acquire_all((&CPU, &DISK)).await.into_permits();
/// // ... reads the file ...
/// drop(disk); // Another call may read now.
/// // ... works on what it has read ...
/// drop(cpu);
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it gives the permits back at once"]
pub struct AllPermits<const N: usize> {
    permits: [Permit; N],
}

impl<const N: usize> AllPermits<N> {
    #[inline]
    pub(crate) fn new(permits: [Permit; N]) -> Self {
        Self { permits }
    }

    /// Returns the permits, in the order in which the call names the limits. If it names a limiter twice, the second
    /// one is a permit of weight 0.
    pub fn permits(&self) -> &[Permit; N] {
        &self.permits
    }

    /// Takes the permits apart, to give one of them back before the others.
    pub fn into_permits(self) -> [Permit; N] {
        self.permits
    }

    /// Does the same as [`Permit::overloaded_for`] for all permits: which backend was overloaded is not known.
    pub fn overloaded_for(self, hold_off: Duration) {
        self.permits.into_iter().for_each(|permit| permit.overloaded_for(hold_off));
    }
}
