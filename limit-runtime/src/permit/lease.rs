//! The lease of a permit that belongs to a fleet.

use super::Permit;
use crate::rejected::Refusal;
use crate::semaphore::{Permits, Watcher};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

impl Permit {
    /// Returns whether the permit is covered by a lease at this moment. With another scope than
    /// [`Scope::Fleet`](crate::Scope::Fleet), and without a fleet, it is always `true`.
    ///
    /// It is `false` from the end of the lease on: another process may have the permit then. It is also
    /// `false` for a call that was let in without a lease
    /// ([`OnUnavailable::Local`](crate::OnUnavailable::Local)). (Feature `fleet`.)
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("valid-permit", 1);
    /// assert!(DB.try_acquire()?.is_valid());
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
    pub fn is_valid(&self) -> bool {
        self.permits.is_valid()
    }

    /// Waits until the lease is lost under which the call was admitted. Without such a lease, and with
    /// another scope than [`Scope::Fleet`](crate::Scope::Fleet), it waits for ever.
    ///
    /// It is ready when the process notices that the lease is over. That may be a little later than
    /// [`is_valid`](Self::is_valid) says so. (Feature `fleet`.)
    ///
    /// Cancel safe: dropping the future changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static LEADER: Limiter = Limiter::new("lease-lost", 1);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn lead() {}
    /// let permit = LEADER.acquire().await;
    /// tokio::select! {
    ///     () = lead() => {}
    ///     () = permit.lease_lost() => eprintln!("another process may lead by now"),
    /// }
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
    pub fn lease_lost(&self) -> impl Future<Output = ()> + Send + Sync + '_ {
        LeaseLost { permits: &self.permits, watcher: None }
    }

    /// Returns the fencing token of the lease: a number that is larger at each grant. A store that refuses
    /// writes with a smaller number than it has seen refuses those of a process that lost its lease.
    ///
    /// Returns `None` if the permit is not [valid](Self::is_valid), or needs no lease, and with a limit
    /// above 1: then two holders have valid tokens at the same time. (Feature `fleet`.)
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(feature = "fleet")))]
    pub fn fencing_token(&self) -> Option<u64> {
        self.permits.token()
    }

    /// Returns whether the permit was taken under a lease that is lost.
    #[cfg(feature = "tower")]
    pub(crate) fn has_lost_lease(&self) -> bool {
        self.permits.has_lost_lease()
    }

    /// Counts the call as refused, because its lease is lost.
    pub(crate) fn refuse(&self) -> Refusal {
        self.permits.refuse()
    }
}

/// The future of [`Permit::lease_lost`].
struct LeaseLost<'a> {
    permits: &'a Permits,
    watcher: Option<Watcher>,
}

impl Future for LeaseLost<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.permits.poll_lost(&mut this.watcher, context)
    }
}

impl Drop for LeaseLost<'_> {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            self.permits.forget_watcher(&watcher);
        }
    }
}

impl fmt::Debug for LeaseLost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseLost").finish_non_exhaustive()
    }
}
