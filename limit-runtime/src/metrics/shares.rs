//! The figures of shares.

/// The figures of one of a limiter's [shares](crate::Limiter::shares), in all runtimes.
///
/// # Examples
///
/// See [`Share`](crate::Share).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ShareFigures {
    /// The name of the share; `rest` for the calls that have none.
    pub name: String,
    /// The permits that are guaranteed to its calls, in one runtime. Those of all shares add up to the limit.
    pub guaranteed: usize,
    /// The most permits that its calls may have, in one runtime.
    pub at_most: usize,
    /// The permits that are out.
    pub in_use: usize,
    /// The calls that wait.
    pub waiting: usize,
    /// Calls that were admitted, but for those that the limit did not hold for
    /// ([`enabled`](crate::Limiter::enabled), [`shadow`](crate::Limiter::shadow)).
    pub admitted: u64,
    /// Calls that were refused.
    pub rejected: u64,
}

impl ShareFigures {
    /// Adds the figures of another semaphore.
    pub(crate) fn add(&mut self, other: &Self) {
        self.guaranteed = self.guaranteed.max(other.guaranteed);
        self.at_most = self.at_most.max(other.at_most);
        self.in_use += other.in_use;
        self.waiting += other.waiting;
    }
}

/// The counts of one share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShareCounts {
    /// The name of the share; `rest` for the calls that have none.
    pub name: &'static str,
    /// Calls that were admitted.
    pub admitted: u64,
    /// Calls that were refused.
    pub rejected: u64,
}
