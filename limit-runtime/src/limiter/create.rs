//! Making a limiter.

use super::Limiter;
use crate::engine::core::Core;
use crate::engine::definition::LimitSource;
use crate::policy::MAX_LIMIT;
use std::borrow::Cow;

impl Limiter {
    /// The largest limit, 2³¹ − 1.
    pub const MAX_LIMIT: usize = MAX_LIMIT as usize;

    /// Creates a limiter with this name and limit, for each runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{Limiter, Scope};
    ///
    /// static UPLOADS: Limiter = Limiter::new("uploads", 4).scope(Scope::Process).env("UPLOADS");
    /// assert_eq!(UPLOADS.limit(), Some(4));
    /// ```
    #[must_use]
    pub const fn new(name: &'static str, limit: usize) -> Self {
        Self::from_core(Core::new(Cow::Borrowed(name), LimitSource::Fixed(limit)))
    }

    /// Creates a limiter whose name is made while the program runs.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// let shards: Vec<_> = (0..4).map(|n| Limiter::named(format!("shard {n}"), 8)).collect();
    /// assert_eq!(shards[2].name(), "shard 2");
    /// ```
    #[must_use]
    pub fn named(name: impl Into<Cow<'static, str>>, limit: usize) -> Self {
        Self::from_core(Core::new(name.into(), LimitSource::Fixed(limit)))
    }

    /// Creates a limiter whose limit is an expression. The first call of each scope evaluates it.
    ///
    /// The first call evaluates the expression when it is polled. Calls that come meanwhile wait
    /// for the limit, not for a permit: they are not counted as waiting, their `max_wait` does not
    /// run, and none is refused. When the limit is known, they ask for a permit as if they had come
    /// then. [`try_acquire`](Self::try_acquire) cannot wait, so it evaluates the expression as
    /// well.
    ///
    /// If the expression panics, the panic goes to the caller that evaluates it, and the next
    /// caller evaluates it again. The expression must not use its own limiter: such a use panics.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static CPU: Limiter = Limiter::lazy("cpu", || {
    ///     std::thread::available_parallelism().map_or(1, usize::from)
    /// });
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// assert_eq!(CPU.limit(), None); // no call has needed it yet
    /// let _permit = CPU.acquire().await;
    /// assert!(CPU.limit() >= Some(1));
    /// # }
    /// ```
    #[must_use]
    pub const fn lazy(name: &'static str, limit: fn() -> usize) -> Self {
        Self::from_core(Core::new(Cow::Borrowed(name), LimitSource::Lazy(limit)))
    }
}
