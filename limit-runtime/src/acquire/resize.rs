//! A permit whose weight changes while the call runs.

mod future;

pub use self::future::Resize;
use self::future::{engine, rejected, shrink_or_want};
use crate::permit::Permit;
use crate::recorder::CallSite;
use crate::rejected::{Rejected, RejectedKind};
use crate::semaphore::Entered;
use std::time::Duration;

impl Permit {
    /// Changes the weight to `weight` permits, for work whose cost is known only after it began. To grow, it waits
    /// until the permits that are missing are free.
    ///
    /// **Shrinking** gives the difference back at once, on the first poll, and never fails. With
    /// [`per`](crate::Limiter::per) it counts until its window is over, as permits of a call that is done. Weight 0
    /// gives everything back.
    ///
    /// **Growing** takes `weight - permit.weight()` more permits of the same limiter, runtime, key and share. These rules
    /// hold:
    ///
    /// - *The call goes before all calls that hold nothing*, whatever the order of the queue, and also when
    ///   [`max_waiting`](crate::Limiter::max_waiting) is reached. They may wait for the very permits that
    ///   it has: behind them it would wait for ever. No other call is admitted until it has grown. With keys, a call that
    ///   lacks permits of its key keeps only that key waiting. What is
    ///   [reserved](crate::Share::reserved) for a share stays the share's.
    /// - *Of several calls that grow*, the one that wants the fewest more permits is next.
    /// - *No two calls wait for each other.* If some of the calls that wait to grow could never be served, because each
    ///   holds what the others want, the last of them is refused at once as
    ///   [`Deadlock`](crate::RejectedKind::Deadlock). Example: of 10 permits, two calls with 5 each want 6. The second
    ///   one to say so is refused, still has its 5, and is to come to an end.
    /// - In figures and events a growth counts as one more call: as waiting, admitted, refused or cancelled. The permits
    ///   that it takes are the holder's.
    ///
    /// The check for deadlocks knows the permits of this limiter alone, and takes a permit that does not wait for one that
    /// comes back. So a task that grows one permit must not keep another permit of the limiter meanwhile, and a call that
    /// holds permits of several limiters needs a [`max_wait`](Resize::max_wait), or
    /// [`diagnostics`](https://docs.rs/limit-runtime/latest/limit_runtime/diagnostics/), which sees the wait at a limiter
    /// without shares.
    ///
    /// A future that waits to grow and is forgotten ([`std::mem::forget`]) goes on waiting, and keeps all others so.
    ///
    /// # Modes
    ///
    /// - A limit of 0 (a pause): the call waits until it is raised. If it is raised to less than the call wants, or lowered
    ///   below that while the call waits, the call is refused as [`TooHeavy`](crate::RejectedKind::TooHeavy).
    /// - A permit of weight 0 takes nothing and stays one, and the result is `Ok`: the limit does not hold for its call
    ///   ([`enabled`](crate::Acquire::enabled), a full [`shadow`](crate::Limiter::shadow)), or it has given everything
    ///   back. A call that is to grow begins with weight 1.
    /// - [`shadow`](crate::Limiter::shadow): it never waits and never fails. What is over the limit is counted, as of a
    ///   call. A limiter that is switched off takes nothing. [`weight`](Permit::weight) says what the permit has.
    /// - [`per`](crate::Limiter::per): the window of all permits of the call begins anew when it grows.
    /// - [`Scope::Process`](crate::Scope::Process): nothing is special. With [`Scope::Runtime`](crate::Scope::Runtime)
    ///   the permits are those of the runtime in which the call was admitted, wherever this is polled.
    /// - [`Scope::Fleet`](crate::Scope::Fleet): a call takes one permit, so it is refused as `TooHeavy`.
    /// - A limit that [adapts](crate::Limiter::adaptive): the weight may be as high as the lowest limit of the range. A
    ///   call that has waited to grow is left out of what the limit learns.
    /// - The limiter or its runtime may be gone: the permits that are out go on as before.
    ///
    /// # Errors
    ///
    /// Growing can be refused. The permit is as it was, and can be used and resized again.
    ///
    /// | kind | when |
    /// |---|---|
    /// | `TooHeavy` | `weight` is more than a call may have at all |
    /// | `Deadlock` | see above |
    /// | `TimedOut`, `NoPermits` | the limiter's [`max_wait`](crate::Limiter::max_wait), or the one of the [`Resize`], is over |
    /// | `Closed` | the limiter is [closed](crate::Limiter::close) |
    /// | `Evicted` | the newest call is served first, the queue is full, and nobody has polled the future for so long that its permits went to another call |
    ///
    /// [`Rejected::weight`] is `weight`. [`Rejected::retry_after`] is the time until the missing permits may be there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready leaves the permit as it was. The call has lost its place. A future that is
    /// kept and not polled is treated as one of [`Acquire`](crate::Acquire): see
    /// [`claim_within`](crate::Limiter::claim_within).
    ///
    /// # Panics
    ///
    /// As [`Acquire`](crate::Acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static MEGABYTES: Limiter = Limiter::new("resize-example", 64);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), limit_runtime::Rejected> {
    /// let mut permit = MEGABYTES.acquire().await;
    /// let size = 40; // The head of the answer says so.
    /// permit.resize(size).await?;
    /// assert_eq!(permit.weight(), 40);
    /// // ... the half of it is written ...
    /// permit.resize(20).await?;
    /// assert_eq!(MEGABYTES.snapshot().total.in_use, 20);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn resize(&mut self, weight: u32) -> Resize<'_> {
        Resize::new(self, weight, CallSite::caller())
    }

    /// Does the same as [`resize`](Self::resize) on a thread that may block, such as one of [`std::thread`] or of
    /// `spawn_blocking`. The thread sleeps until the permits that are missing are there. Use this when the work that learns
    /// its cost on the way is blocking code: a decoder, a scanner, a job on a thread of its own.
    ///
    /// It waits in the same queue, under the same rules. The limiter's [`max_wait`](crate::Limiter::max_wait) and
    /// [`per`](crate::Limiter::per) need no runtime here. They go by tokio's clock, which stands still in a paused
    /// runtime.
    ///
    /// # Errors
    ///
    /// As [`resize`](Self::resize). The permit is as it was.
    ///
    /// # Panics
    ///
    /// In async code, where it would block the runtime, also if it would not have to wait. There, write
    /// `resize(…).await`, or call it inside `spawn_blocking`.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static MEGABYTES: Limiter = Limiter::new("blocking-resize-example", 64);
    ///
    /// std::thread::scope(|scope| {
    ///     for size in [30, 60, 8] {
    ///         scope.spawn(move || -> Result<(), limit_runtime::Rejected> {
    ///             let mut permit = MEGABYTES.blocking_acquire();
    ///             // ... reads the head of a file, which says the size ...
    ///             permit.blocking_resize(size)?; // sleeps until there is room for all of it
    ///             assert_eq!(permit.weight(), size);
    ///             Ok(())
    ///         });
    ///     }
    /// });
    /// assert_eq!(MEGABYTES.snapshot().total.in_use, 0);
    /// ```
    #[track_caller]
    pub fn blocking_resize(&mut self, weight: u32) -> Result<(), Rejected> {
        self.resize(weight).block()
    }

    /// Changes the weight to `weight` permits at once, or not at all. It is [`resize`](Self::resize) without the wait.
    ///
    /// It takes free permits also while other calls wait: those that wait to grow want more than are free then, and those
    /// that hold nothing are behind it.
    ///
    /// # Errors
    ///
    /// If too few permits are free to grow ([`NoPermits`](crate::RejectedKind::NoPermits)), or as `resize`, but never as
    /// `Deadlock`. The permit is as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, RejectedKind};
    ///
    /// static SLOTS: Limiter = Limiter::new("try-resize-example", 4);
    ///
    /// let mut permit = SLOTS.try_acquire()?;
    /// permit.try_resize(3)?;
    /// let other = SLOTS.try_acquire()?;
    /// assert_eq!(permit.try_resize(4).unwrap_err().kind(), RejectedKind::NoPermits);
    /// assert_eq!(permit.weight(), 3);
    /// permit.try_resize(1)?;
    /// # drop(other);
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    pub fn try_resize(&mut self, weight: u32) -> Result<(), Rejected> {
        let Some(wants) = shrink_or_want(self, weight) else { return Ok(()) };
        if let Some(held) = self.permits().grow_by_word(wants) {
            self.add(held);
            return Ok(());
        }
        match self.permits().grow(wants, Err(RejectedKind::NoPermits)) {
            Entered::Admitted(held) => {
                self.add(held);
                Ok(())
            }
            Entered::Refused(refusal) => {
                let limiter = engine(self);
                Err(rejected(limiter.as_deref(), weight, Duration::ZERO, refusal))
            }
            Entered::Queued(_) | Entered::Unbound | Entered::Stale => {
                unreachable!("without a waker nobody waits, and a holder's semaphore stays bound")
            }
        }
    }
}
