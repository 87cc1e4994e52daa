//! Taking permits of a limiter without keys.

use super::Limiter;
use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::keying::Unkeyed;
use crate::permit::Permit;
use crate::recorder::CallSite;
use crate::rejected::Rejected;

impl<E: Admission> Limiter<E> {
    /// Takes a permit. Waits in the queue if none is free.
    ///
    /// Cancel safe, see [`Acquire`].
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("acquire-example", 10);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let permit = DB.acquire().await;
    /// // ... at most ten are here at the same time ...
    /// drop(permit);
    /// # }
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire(&self) -> Acquire<'_, E> {
        self.acquire_at(CallSite::caller())
    }

    #[inline]
    pub(crate) fn acquire_at(&self, site: CallSite) -> Acquire<'_, E> {
        Acquire::new(&self.core, Unkeyed, site)
    }

    /// Takes a permit, or as many as [`weight`](Self::weight) says, if they are free and no call
    /// waits for them. With [`Order::Lifo`](crate::Order::Lifo), takes free permits even if calls
    /// wait.
    ///
    /// The call counts for the runtime in whose context it is made.
    ///
    /// # Errors
    ///
    /// [`RejectedKind::NoPermits`](crate::RejectedKind::NoPermits) if too few permits are free;
    /// [`TooHeavy`](crate::RejectedKind::TooHeavy) and [`Closed`](crate::RejectedKind::Closed) as
    /// for other calls.
    ///
    /// # Examples
    ///
    /// See [`Permit`].
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        self.core.try_acquire(self.core.definition.request.weight, &Unkeyed, CallSite::caller())
    }

    /// Takes `weight` permits at once. Short for `acquire().weight(weight)`.
    ///
    /// Cancel safe, see [`Acquire`].
    ///
    /// # Errors
    ///
    /// [`RejectedKind::TooHeavy`](crate::RejectedKind::TooHeavy) if `weight` is more than the
    /// limit, at once or when the limit is lowered while the call waits. (Not at limit 0, where
    /// every call waits.)
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, RejectedKind};
    ///
    /// static MEGABYTES: Limiter = Limiter::new("megabytes", 512);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let permit = MEGABYTES.acquire_many(200).await.unwrap();
    /// let rejected = MEGABYTES.acquire_many(1024).await.unwrap_err();
    /// assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    /// # drop(permit);
    /// # }
    /// ```
    #[track_caller]
    pub fn acquire_many(&self, weight: u32) -> Acquire<'_, Rejected> {
        self.acquire().weight(weight)
    }

    /// Takes `weight` permits at once, if they are free and no call waits for them.
    ///
    /// # Errors
    ///
    /// The same as [`try_acquire`](Self::try_acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static MEGABYTES: Limiter = Limiter::new("try-acquire-many", 512);
    ///
    /// let permit = MEGABYTES.try_acquire_many(200)?;
    /// assert!(MEGABYTES.try_acquire_many(400).is_err());
    /// # drop(permit);
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    #[track_caller]
    pub fn try_acquire_many(&self, weight: u32) -> Result<Permit, Rejected> {
        self.core.try_acquire(weight, &Unkeyed, CallSite::caller())
    }

    /// Takes a permit on a thread that may block, such as one of [`std::thread`] or of `spawn_blocking`. The
    /// thread sleeps until the permit is there.
    ///
    /// A thread outside any runtime shares the permits of all calls outside runtimes, or with
    /// [`Scope::Process`](crate::Scope::Process) those of the process. A thread of `spawn_blocking` has those of its runtime. `max_wait`
    /// and [`per`](Self::per) need no runtime. They go by tokio's clock, which stands still in a paused runtime.
    ///
    /// # Panics
    ///
    /// In async code, where it would block the runtime: as
    /// [`blocking_recv`](tokio::sync::oneshot::Receiver::blocking_recv) of tokio. There, write
    /// `acquire().await`, or call it inside `spawn_blocking`.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    /// use std::thread;
    ///
    /// static SCANNER: Limiter = Limiter::new("blocking-acquire", 1);
    ///
    /// thread::scope(|scope| {
    ///     for page in 1..=3 {
    ///         scope.spawn(move || {
    ///             let _permit = SCANNER.blocking_acquire();
    ///             println!("scans page {page}"); // one page at a time
    ///         });
    ///     }
    /// });
    /// ```
    #[track_caller]
    pub fn blocking_acquire(&self) -> E::Outcome<Permit> {
        self.acquire().block()
    }
}
