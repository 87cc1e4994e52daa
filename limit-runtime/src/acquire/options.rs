//! The options of one call.

use super::Acquire;
use crate::admission::Admission;
use crate::deadline::Deadline;
use crate::keying::Key;
use crate::policy::MaxWait;
use crate::rejected::Rejected;
use std::mem;

impl<'a, E: Admission, K> Acquire<'a, E, K> {
    /// Takes `weight` permits at once. The call waits for them in the same queue, and lighter
    /// calls behind it do not pass it.
    ///
    /// A limit that [adapts](crate::Limiter::adaptive) counts by the lower end of its range here, to which it may go down at any
    /// time: under `2..=100` a call may weigh at most 2. With [shares](crate::Limiter::shares) a call may weigh as much as its
    /// share may have.
    ///
    /// A weight above the limit is refused as [`TooHeavy`](crate::RejectedKind::TooHeavy), at once
    /// or when the limit is lowered while the call waits. (Not at limit 0, where every call waits.)
    /// A call of weight 0 takes no permit and never waits. It is counted.
    pub fn weight(self, weight: u32) -> Acquire<'a, Rejected, K> {
        let mut acquire = self.fallible();
        acquire.call.request.weight = weight;
        acquire
    }

    /// Sets the priority: waiters with a higher priority are served first. 0 is the lowest. The
    /// default is the limiter's [`priority`](crate::Limiter::priority), or else 0.
    ///
    /// Each level of priority counts as one second of waiting. If two calls came at about the same
    /// time, the one with the higher priority goes first. Within one level the first to come goes
    /// first. A low priority does not wait for ever: under a steady stream of calls that are *n*
    /// levels higher, a call is passed for *n* seconds and no longer.
    ///
    /// From the first call with a priority on, the queue is kept sorted. Joining and leaving it
    /// then take time in the number of priorities with which calls wait. Calls that wait at that
    /// moment count as having come just then. The priority has no effect where the newest call is served first, or the one
    /// with the earliest deadline ([`Order::Lifo`](crate::Order::Lifo), [`Order::Deadline`](crate::Order::Deadline)).
    ///
    /// # A full queue
    ///
    /// If as many calls wait as [may](crate::Limiter::max_waiting), a call of a higher priority takes the place of a lower
    /// one. The youngest waiter of the lowest priority is refused, as [`Evicted`](crate::RejectedKind::Evicted), however
    /// long it has waited and however many permits it wants. A call that is not above the lowest is refused itself, as
    /// [`QueueFull`](crate::RejectedKind::QueueFull). A call that has been handed its permits is never refused for another,
    /// nor is one whose grant was taken back (see [`claim_within`](crate::Limiter::claim_within)). With keys the waiters of
    /// the call's own key are compared, and with shares those of its share. In a shadow, which has no queue, such a call
    /// counts as one that would be refused because the queue is full.
    pub fn priority(mut self, priority: u8) -> Self {
        self.call.request.priority = priority;
        self
    }

    /// Waits at most this long (a [`Duration`](std::time::Duration)), or until an `Instant`. After that the call is
    /// refused as [`TimedOut`](crate::RejectedKind::TimedOut). A free permit is taken even if there
    /// is no time to wait.
    pub fn max_wait(self, max_wait: impl Into<MaxWait>) -> Acquire<'a, Rejected, K> {
        let mut acquire = self.fallible();
        acquire.deadline = Deadline::from_call(max_wait.into());
        acquire
    }

    /// Sets whether the limit holds for this call. With `false` the call is admitted at once at any
    /// limit, also when the limiter is closed. It is counted as admitted at once, and not as in
    /// use.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.call.request.enabled = enabled;
        self
    }

    fn fallible(self) -> Acquire<'a, Rejected, K> {
        let Self { call, mut deadline, key } = self;
        let deadline = E::deadline_mut(&mut deadline).map(mem::take).unwrap_or_default();
        Acquire { call, deadline, key }
    }
}

impl<E: Admission, T> Acquire<'_, E, Key<T>> {
    /// Gives the call's key a weight, for its part of the [`total`](crate::KeyedLimiter::total): see
    /// [`ForKey::key_weight`](crate::ForKey::key_weight). 0 counts as 1. It has no effect once the call has been polled.
    pub fn key_weight(mut self, weight: u32) -> Self {
        self.key.set_weight(weight);
        self
    }
}
