//! Shares of a limiter's permits.

use super::Limiter;
use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::engine::core::Core;
use crate::keying::InShare;
#[cfg(any(feature = "task", feature = "tower"))]
use crate::keying::MaybeShare;
use crate::permit::Permit;
use crate::recorder::CallSite;
use crate::rejected::Rejected;
use crate::share::Share;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

impl<E: Admission> Limiter<E> {
    /// Guarantees parts of the permits to *shares* of the calls. [`share`](Self::share) says to which share a call
    /// belongs. Calls without a share are one more share, the `rest`, with the per cent that are left.
    ///
    /// A share's part in whole permits is its guarantee. The guarantees of all shares add up to the limit, and follow it
    /// when it changes, also one that [adapts](Limiter::adaptive). While a share does not want its permits, others have
    /// them, unless it is [reserved](Share::reserved). Once it wants them, the permits that come back go to the shares
    /// below their guarantees first, until it has its own. Permits beyond the guarantees go to the shares in proportion
    /// to their per cent. In use are never more permits than the limit.
    ///
    /// A share whose part is less than one permit has one in time: with 20 per cent of the limit 1, it gets one of five
    /// permits that come back while it waits.
    ///
    /// Each share has a queue of its own, in the limiter's [`order`](Self::order), and
    /// [`max_waiting`](Self::max_waiting) holds for each. A heavy call at the head of the share that is next keeps others
    /// waiting, as in one queue, and may take more than is guaranteed to its share.
    ///
    /// A call is [too heavy](crate::RejectedKind::TooHeavy) if it wants more permits than its share can ever have. That is the
    /// share's [`at_most`](Share::at_most), or the limit without the permits that are [reserved](Share::reserved) for others,
    /// if these are fewer.
    ///
    /// Shares come from the code alone. Nothing changes them while the program runs, and no file has them. The permits of
    /// each follow the limit, which can be changed.
    ///
    /// In a `static` the shares can stand in the call, `&[Share::new("live", 60)]`. In a function write a constant, or
    /// `const { &[Share::new("live", 60)] }`.
    ///
    /// A limiter with shares takes a lock for each call. Under [`shadow`](Self::shadow) all calls are admitted, and the
    /// calls count that would have waited for the limit; `max_waiting` holds for all of them together then.
    /// In a refusal, [`waiting`](Rejected::waiting) counts the calls of the share. [`limit`](Rejected::limit) and
    /// [`in_use`](Rejected::in_use) are those of the whole limiter; only the limit of a call that is too heavy is the most that
    /// a call of its share may want. [`retry_after`](Rejected::retry_after) takes the waiting calls of the share, and the pace
    /// of the whole limiter: where other shares wait too, it is too short. Deadlocks
    /// through a limiter with shares are not found.
    ///
    /// # Panics
    ///
    /// If the limiter has been used; if there are no shares or more than 16, they come to more than 100 per cent, or two
    /// have one name; beside [`keyed`](Self::keyed), [`per`](Self::per) and
    /// [`Scope::Fleet`](crate::Scope::Fleet). In a `static` that is a compile error.
    ///
    /// # Examples
    ///
    /// See [`Share`].
    #[must_use]
    #[track_caller]
    pub const fn shares(mut self, shares: &'static [Share]) -> Self {
        let definition =
            self.configure("`Limiter::shares` must be called before the limiter is used");
        crate::share::check(shares);
        definition.shares = shares;
        definition.check();
        self
    }

    /// Returns the limiter for calls of a share.
    ///
    /// With a name that is none of the [`shares`](Self::shares), the calls belong to the `rest`. The first such name is a
    /// warning in the [`Snapshot`](crate::Snapshot), and in the log (feature `tracing`).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Share};
    ///
    /// static SEARCH: Limiter = Limiter::new("share-of-calls-example", 2)
    ///     .shares(&[Share::new("live", 50).reserved(), Share::new("batch", 50)]);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let batch = SEARCH.share("batch").acquire().await;
    /// assert!(SEARCH.share("batch").try_acquire().is_err()); // the other permit is reserved
    /// let live = SEARCH.share("live").acquire().await;
    /// # drop((batch, live));
    /// # }
    /// ```
    pub fn share(&self, name: &str) -> ForShare<'_, E> {
        ForShare { core: &self.core, share: self.core.share(name), kind: PhantomData }
    }

    /// Takes a permit for a call of a share.
    pub(crate) fn acquire_in_share(
        &self,
        share: InShare,
        site: CallSite,
    ) -> Acquire<'_, E, InShare> {
        Acquire::new(&self.core, share, site)
    }

    /// Takes a permit for a call that may have a share.
    #[cfg(any(feature = "task", feature = "tower"))]
    pub(crate) fn acquire_maybe_in_share(
        &self,
        share: Option<InShare>,
        site: CallSite,
    ) -> Acquire<'_, E, MaybeShare> {
        Acquire::new(&self.core, MaybeShare(share), site)
    }

    pub(crate) fn find_share(&self, name: &str) -> InShare {
        self.core.share(name)
    }
}

/// A [`Limiter`] for the calls of one share. [`Limiter::share`] returns it.
#[must_use = "it takes no permit before one of its methods is called"]
pub struct ForShare<'a, E: Admission = Infallible> {
    core: &'a Core,
    share: InShare,
    kind: PhantomData<fn() -> E>,
}

impl<'a, E: Admission> ForShare<'a, E> {
    /// Takes a permit for a call of this share. Waits if it can have none.
    ///
    /// Cancel safe, see [`Acquire`].
    #[track_caller]
    pub fn acquire(self) -> Acquire<'a, E, InShare> {
        Acquire::new(self.core, self.share, CallSite::caller())
    }

    /// Takes a permit for a call of this share on a thread that may block, as [`Limiter::blocking_acquire`].
    ///
    /// # Panics
    ///
    /// In async code, where it would block the runtime.
    #[must_use = "dropping the permit gives it back"]
    #[track_caller]
    pub fn blocking_acquire(self) -> E::Outcome<Permit> {
        self.acquire().block()
    }

    /// Takes a permit for a call of this share, if it can have one and no call waits before it.
    ///
    /// # Errors
    ///
    /// As [`Limiter::try_acquire`].
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        self.try_acquire_many(self.core.definition.request.weight)
    }

    /// Takes `weight` permits at once for a call of this share, if it can have them and no call waits before it.
    ///
    /// # Errors
    ///
    /// As [`Limiter::try_acquire`].
    #[track_caller]
    pub fn try_acquire_many(&self, weight: u32) -> Result<Permit, Rejected> {
        self.core.try_acquire(weight, &self.share, CallSite::caller())
    }
}

impl<E: Admission> fmt::Debug for ForShare<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForShare").field("limiter", self.core).finish_non_exhaustive()
    }
}
