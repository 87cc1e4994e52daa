//! The setters of the order in which calls are served, and of who gives way.

use super::Limiter;
use crate::admission::Admission;
use crate::policy::{Order, Ranking};
use crate::rejected::Rejected;

impl<E: Admission, K> Limiter<E, K> {
    /// Sets the waiter that is served first. By default the oldest waiter is.
    ///
    /// With [`Order::Deadline`] the deadline of a call is the end of its [`max_wait`](Self::max_wait), be it the
    /// limiter's or [its own](crate::Acquire::max_wait). A free permit is taken by a call that comes while nobody
    /// waits, whatever its deadline. A call that is too late when its turn comes is refused instead, also if its task
    /// has not been polled since. To find that out, each permit that goes to a waiter takes a reading of the clock.
    /// With keys each key has an order of its own, and with shares each share; a full queue refuses the newcomer. To
    /// join takes time in the logarithm of the number of deadlines. Deadlines are compared by the clock of the runtime
    /// in which the permit comes back, which matters in tests alone, if several runtimes have paused clocks.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Order, Rejected};
    ///
    /// // At most ten wait. The eleventh joins the queue, and the oldest is refused.
    /// static FEED: Limiter<Rejected> =
    ///     Limiter::new("order-example", 4).order(Order::Lifo).max_waiting(10);
    /// # let _ = FEED.limit();
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn order(mut self, order: Order) -> Self {
        let definition =
            self.configure("`Limiter::order` must be called before the limiter is used");
        definition.policy.order = order;
        definition.check();
        definition.request.ranking = match (order, definition.request.ranking) {
            (Order::Deadline, _) => Ranking::ByDeadline,
            (_, Ranking::ByDeadline) => Ranking::IfPrior,
            (_, ranking) => ranking,
        };
        self
    }

    /// Sets the default priority of calls. The queue is sorted from the first waiter on. See
    /// [`Acquire::priority`](crate::Acquire::priority).
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("priority-example", 1).priority(1);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let permit = DB.acquire().await;
    /// let (nightly, usual, urgent) =
    ///     (DB.acquire().priority(0), DB.acquire(), DB.acquire().priority(9));
    /// let order = std::sync::Mutex::new(Vec::new());
    /// let run = async |name, call: limit_runtime::Acquire<'_>| {
    ///     let _permit = call.await;
    ///     order.lock().unwrap().push(name);
    /// };
    /// tokio::join!(
    ///     run("nightly", nightly), run("usual", usual), run("urgent", urgent),
    ///     async { drop(permit) },
    /// );
    /// assert_eq!(order.into_inner().unwrap(), ["urgent", "usual", "nightly"]);
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn priority(mut self, priority: u8) -> Self {
        let definition =
            self.configure("`Limiter::priority` must be called before the limiter is used");
        definition.request.priority = priority;
        if !matches!(definition.request.ranking, Ranking::ByDeadline) {
            definition.request.ranking = Ranking::ByPriority;
        }
        self
    }

    /// Refuses a call at once if it would wait for longer than its [`max_wait`](Self::max_wait), by its place in the
    /// queue and the pace at which the queue has moved lately. The refusal is
    /// [`WouldTimeOut`](crate::RejectedKind::WouldTimeOut), of a kind of its own: it rests on an estimate, and costs
    /// the caller no time.
    ///
    /// The caller learns at once what it would learn at the end of its `max_wait`, and no place in the queue is spent
    /// on a call that is given up. A call without a `max_wait` is never refused early. Nor is any call before the pace
    /// is known: eight calls have been served since the queue has begun, and calls have waited ever since.
    ///
    /// The estimate is made to let a call wait rather than to refuse it:
    ///
    /// * It takes all calls that run for calls that end this moment, so that as many waiters are served at once, and
    ///   the pace is too fast: by a quarter at most when each permit has come back four times, and by more before.
    ///   Where all calls take the same time, no call is refused early that would be served in time if nobody before it
    ///   gave up.
    /// * With priorities it counts those of the call's own level and above. With [`Order::Deadline`] it counts all, if the
    ///   call is behind all of them, and nobody otherwise.
    /// * Calls of a higher priority that come later, and waiters that weigh more than those before them, are not foreseen.
    ///
    /// It refuses a call that would have been served in time if the queue moves faster from now on than it has: the
    /// backend has just recovered, the limit has just been raised, few calls were served and happened to be slow, or
    /// many of those ahead are about to give up. The pace is measured anew once nobody waits, and after a pause (limit
    /// 0). In a [`shadow`](Self::shadow) no call is counted as refused early.
    ///
    /// With keys each key has a pace of its own, and with shares each share.
    ///
    /// # Panics
    ///
    /// If the limiter has been used, or serves the newest first ([`Order::Lifo`]): then the place in the queue says
    /// nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Rejected, RejectedKind};
    /// use std::time::Duration;
    ///
    /// static API: Limiter<Rejected> =
    ///     Limiter::new("early-example", 1).max_wait(Duration::from_millis(100)).early();
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// // A hundred calls of 10 ms come at once, of which ten or eleven are served in time. A little later others come.
    /// for _ in 0..100 {
    ///     tokio::spawn(async {
    ///         let _permit = API.acquire().await?;
    ///         tokio::time::sleep(Duration::from_millis(10)).await;
    ///         Ok::<_, Rejected>(())
    ///     });
    /// }
    /// tokio::time::sleep(Duration::from_millis(95)).await;
    /// let rejected = API.acquire().await.unwrap_err();
    /// assert_eq!(rejected.kind(), RejectedKind::WouldTimeOut);
    /// assert_eq!(rejected.waited(), Duration::ZERO);
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn early(mut self) -> Limiter<Rejected, K> {
        let definition =
            self.configure("`Limiter::early` must be called before the limiter is used");
        definition.request.is_early = true;
        definition.check();
        self.into_kind()
    }
}
