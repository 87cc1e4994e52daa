//! The policy of a limiter for the calls over its limit, and the request of a call.

use std::time::Duration;
use tokio::time::Instant;

/// The largest limit, 2³¹ − 1: a semaphore counts its free permits in 31 bits.
pub(crate) const MAX_LIMIT: u32 = (1 << 31) - 1;

/// Reduces a number to the largest limit.
pub(crate) fn clamp_limit(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)
}

/// Returns a limit over all keys; `None` if it caps nothing.
pub(crate) fn total_of(total: u32) -> Option<usize> {
    (total < MAX_LIMIT).then_some(total as usize)
}

/// The order in which waiters are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Order {
    /// The oldest first: first come, first served.
    #[default]
    Fifo,
    /// The newest first. Under overload, the callers of the newest calls have most likely not given
    /// up yet. If the queue is full (`max_waiting`), the oldest call is refused and the newest
    /// joins the queue.
    Lifo,
    /// The earliest deadline first. The deadline of a call is the end of its `max_wait`, from the moment at which the call
    /// began to wait. Calls without one are last, in the order in which they came, as are calls of one deadline. A call
    /// whose deadline is over is refused when its turn comes, as [`TimedOut`](crate::RejectedKind::TimedOut), and the
    /// next call has its permits. The turn of a call that takes several permits comes when as many are free.
    Deadline,
}

impl Order {
    /// Returns the name, as the attribute has it: `fifo`, `lifo` or `deadline`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Lifo => "lifo",
            Self::Deadline => "deadline",
        }
    }
}

/// The fate of a call that waits in a deadlock. See [`Limiter::on_deadlock`](crate::Limiter::on_deadlock).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDeadlock {
    /// The call waits on. A warning tells of the deadlock.
    #[default]
    Warn,
    /// The call that began to wait last is refused as [`Deadlock`](crate::RejectedKind::Deadlock). A warning
    /// tells of the deadlock.
    Refuse,
}

/// The longest time that a call may wait: a duration, or until a moment.
///
/// Converts from a [`Duration`], a [`tokio::time::Instant`] or a [`std::time::Instant`].
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
    /// This long, from the moment at which the call begins to wait.
    For(Duration),
    /// Until this moment, on tokio's clock. After it the call does not wait, but takes a free
    /// permit.
    Until(Instant),
}

impl MaxWait {
    /// Returns whether there is no time to wait.
    #[inline]
    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::For(duration) => duration.is_zero(),
            Self::Until(instant) => instant <= Instant::now(),
        }
    }

    /// Returns the deadline of a call that begins to wait now. Returns `None` if it is too far away
    /// to be represented.
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

/// The degree to which a limit is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    Full,
    /// No call waits or is refused. The calls that would have been are counted.
    Shadow,
    /// Every call is admitted and counted.
    Off,
}

/// The part of a limiter's policy that its semaphores need.
///
/// The size is at most 32 bytes. It is a part of each limiter: with 40 bytes a call that queues was
/// 4 % slower (measured).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The number of calls that may wait. With keys, for each key.
    pub(crate) max_waiting: u32,
    /// The number of calls of all keys together that may wait.
    pub(crate) max_waiting_total: u32,
    pub(crate) order: Order,
    /// A permit does not come back until this time after its start.
    pub(crate) per: Option<Duration>,
    pub(crate) force: Force,
    pub(crate) keyed: bool,
    /// A call takes one permit at most.
    pub(crate) is_single: bool,
    /// The limit over all keys. [`MAX_LIMIT`] caps nothing.
    pub(crate) total: u32,
}

const _: () = assert!(size_of::<Policy>() <= 32, "see `Policy`");

impl Policy {
    /// The policy of a limiter without any setters.
    pub(crate) const PLAIN: Self = Self {
        max_waiting: u32::MAX,
        max_waiting_total: u32::MAX,
        order: Order::Fifo,
        per: None,
        force: Force::Full,
        keyed: false,
        is_single: false,
        total: MAX_LIMIT,
    };

    /// Returns whether calls cannot take the fast path under this policy.
    pub(crate) const fn needs_modes(&self) -> bool {
        self.per.is_some() || !matches!(self.force, Force::Full) || self.keyed
    }
}

/// The rank of a call in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ranking {
    /// By its priority, if it has one.
    IfPrior,
    /// By its priority, also if that is 0, because the limiter's calls have one by default.
    ByPriority,
    /// By its deadline.
    ByDeadline,
}

/// The options of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) weight: u32,
    /// A higher priority is served first.
    pub(crate) priority: u8,
    pub(crate) ranking: Ranking,
    /// The call is refused at once if it would wait for too long.
    pub(crate) is_early: bool,
    /// `false` admits the call at any limit, and counts it.
    pub(crate) enabled: bool,
    /// A thread blocks until the call is ready, and watches the clock itself.
    pub(crate) blocks: bool,
}

impl Request {
    /// A request for one permit, with the defaults of all options.
    pub(crate) const ONE: Self = Self {
        weight: 1,
        priority: 0,
        ranking: Ranking::IfPrior,
        is_early: false,
        enabled: true,
        blocks: false,
    };

    /// Returns the number of permits that the call takes.
    #[inline]
    pub(crate) const fn permits(self) -> u32 {
        if self.enabled { self.weight } else { 0 }
    }
}
