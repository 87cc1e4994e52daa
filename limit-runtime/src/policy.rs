//! What a limiter does with the calls over its limit.

use std::time::Duration;
use tokio::time::Instant;

/// The largest limit, 2³¹ − 1: a semaphore counts its free permits in 31 bits.
pub(crate) const MAX_LIMIT: u32 = (1 << 31) - 1;

/// Takes limits that are larger than the largest down to it.
pub(crate) fn clamp_limit(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)
}

/// Who is served first of those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Order {
    /// The oldest: first come, first served.
    #[default]
    Fifo,
    /// The newest. Under overload the newest calls are those whose callers have not given up yet.
    /// With a full queue (`max_waiting`) the oldest is refused to let the newest in.
    Lifo,
}

/// How long a call may wait: for so long, or until a moment.
///
/// Made from a [`Duration`], a [`tokio::time::Instant`] or a [`std::time::Instant`].
///
/// # Examples
///
/// ```
/// use limit_runtime::MaxWait;
/// use std::time::{Duration, Instant};
///
/// let _: [MaxWait; 2] = [Duration::from_millis(50).into(), Instant::now().into()];
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaxWait {
    /// So long from when it begins to wait.
    For(Duration),
    /// Until then, on tokio's clock. What is past is now: a free permit is taken all the same.
    Until(Instant),
}

impl MaxWait {
    /// Whether there is no time to wait at all.
    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::For(duration) => duration.is_zero(),
            Self::Until(instant) => instant <= Instant::now(),
        }
    }

    /// The moment, for a call that begins to wait now. `None` is too far away to be reckoned.
    pub(crate) fn deadline(self, now: Instant) -> Option<Instant> {
        match self {
            Self::For(duration) => now.checked_add(duration),
            Self::Until(instant) => Some(instant),
        }
    }
}

impl From<Duration> for MaxWait {
    fn from(duration: Duration) -> Self {
        Self::For(duration)
    }
}

impl From<Instant> for MaxWait {
    fn from(instant: Instant) -> Self {
        Self::Until(instant)
    }
}

impl From<std::time::Instant> for MaxWait {
    fn from(instant: std::time::Instant) -> Self {
        Self::Until(Instant::from_std(instant))
    }
}

/// Whether a limit is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    Full,
    /// Nobody waits and nobody is refused; what would have happened is counted.
    Shadow,
    /// Every call is let in, and counted.
    Off,
}

/// What a semaphore is told of a limiter's policy.
///
/// Of 32 bytes: as a part of each limiter, of 40 it made a call that queues 4 % slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The most that may wait. With keys, for each key.
    pub(crate) max_waiting: u32,
    pub(crate) order: Order,
    /// Waiters have ranks from the first on.
    pub(crate) ranked: bool,
    /// A permit does not come back before this since its start.
    pub(crate) per: Option<Duration>,
    pub(crate) force: Force,
    pub(crate) keyed: bool,
    /// With keys, the limit over all of them.
    pub(crate) total: Option<u32>,
}

impl Policy {
    /// That of a limiter that has none.
    pub(crate) const PLAIN: Self = Self {
        max_waiting: u32::MAX,
        order: Order::Fifo,
        ranked: false,
        per: None,
        force: Force::Full,
        keyed: false,
        total: None,
    };

    /// Whether calls can never take the fast path.
    pub(crate) const fn is_special(&self) -> bool {
        self.per.is_some() || matches!(self.force, Force::Shadow) || self.keyed
    }
}

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) weight: u32,
    /// Higher first.
    pub(crate) priority: u8,
    /// Whether it can be told that it is refused.
    pub(crate) fallible: bool,
    /// Otherwise it is let in whatever the limit, and counted.
    pub(crate) enabled: bool,
    /// Whether it has waited before, for instance at a runtime that has ended, and asks again.
    pub(crate) has_waited: bool,
}

impl Request {
    /// One permit, however long it takes.
    pub(crate) const ONE: Self =
        Self { weight: 1, priority: 0, fallible: false, enabled: true, has_waited: false };

    /// The permits that it takes.
    #[inline]
    pub(crate) const fn permits(self) -> u32 {
        if self.enabled { self.weight } else { 0 }
    }
}
