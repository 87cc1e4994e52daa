//! The limit, the name and the figures of a limiter.

use super::Limiter;
use crate::admission::Admission;
use crate::metrics::Snapshot;

impl<E: Admission, K> Limiter<E, K> {
    /// Changes the limit for all runtimes, present and future. Returns at once.
    ///
    /// A higher limit admits waiters at once. A lower limit interrupts no holder: it takes effect
    /// as permits come back. Waiters for more permits than the new limit are refused. The limit 0
    /// pauses the limiter: every call waits until the limit is raised.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static DB: Limiter = Limiter::new("set-limit-example", 1);
    /// let _first = DB.try_acquire()?;
    /// assert!(DB.try_acquire().is_err());
    /// DB.set_limit(2);
    /// assert!(DB.try_acquire().is_ok());
    /// # Ok::<(), limit_runtime::Rejected>(())
    /// ```
    pub fn set_limit(&self, limit: usize) {
        self.core.engine().set_limit(limit);
    }

    /// Returns the figures at this moment. This is a use of the limiter: from then on it is on the
    /// list of [`limiters`](crate::limiters), and its setters panic.
    ///
    /// # Examples
    ///
    /// See [`Snapshot`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.core.engine().snapshot()
    }

    /// Returns the limit in force. The first of these that exists holds: the last limit set while
    /// running, the environment variable, a source of [settings](crate::settings), the limit in the
    /// code.
    ///
    /// Returns `None` if the limit is an expression ([`lazy`](Self::lazy)) that no call has needed
    /// yet. If several scopes have evaluated the expression, returns the last result.
    ///
    /// Looking has no side effect. Before the first use, the environment and the sources have not
    /// been asked: the limit is the code's.
    #[must_use]
    pub fn limit(&self) -> Option<usize> {
        self.core.limit()
    }

    /// Returns the name in figures and errors.
    ///
    /// The name is the one given at creation. If another limiter in use has that name, the name is
    /// `name#2`, `name#3` and so on, with the smallest free number. Dropping a limiter frees its
    /// name.
    ///
    /// Looking has no side effect: before the first use the name is the one given at creation.
    #[must_use]
    pub fn name(&self) -> &str {
        self.core.name()
    }
}
