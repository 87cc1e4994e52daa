//! A call that comes in by the lock.

use super::super::rank::Rank;
use super::super::wait_list::{Position, WaitList};
use crate::policy::{Order, Request};
use crate::rejected::RejectedKind;
use crate::unwind::quietly;
use std::task::Waker;
use tokio::time::Instant;

/// The means of a call to wait.
#[derive(Debug)]
pub(in super::super) struct Arrival {
    /// The kind of refusal of a call that may not wait; `None` if it may.
    pub(super) refused_as: Option<RejectedKind>,
    /// A clone of its waker, if there is one yet. It is taken if the call joins the wait list.
    pub(super) waker: Option<Waker>,
    /// Its rank, if it has been prepared to join by that.
    rank: Option<Rank>,
    /// The call needs a rank also without a priority.
    joins_ranked: bool,
}

impl Arrival {
    #[inline]
    pub(in super::super) fn new(refused_as: Option<RejectedKind>) -> Self {
        Self { refused_as, waker: None, rank: None, joins_ranked: false }
    }

    /// Gets what the call needs to join. If that is a rank, `came` becomes the time at which the call has come.
    ///
    /// The caller holds no lock: a waker is foreign code, and a reading of the clock takes its time.
    #[inline]
    pub(in super::super) fn prepare(
        &mut self,
        waker: &Waker,
        request: Request,
        came: &mut Option<Instant>,
    ) {
        if self.waker.is_none() {
            self.waker = Some(waker.clone());
        }
        self.rank = read_rank(request, self.joins_ranked, came);
    }

    /// Returns the position at which the call joins a list, and its waker. `None` if it is to be prepared for that
    /// first.
    #[inline]
    pub(super) fn join(&mut self, order: Order, list: &WaitList) -> Option<(Position, Waker)> {
        let position = list.position(order, self.rank);
        self.joins_ranked |= position.is_none();
        Some((position?, self.waker.take()?))
    }

    pub(super) fn may_wait(&self) -> bool {
        self.refused_as.is_none()
    }

    /// Returns the kind of refusal of a call that finds no permit free, and cannot join the wait list.
    pub(super) fn refusal_kind(&self) -> RejectedKind {
        self.refused_as.unwrap_or(RejectedKind::QueueFull)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        // A waker that was not needed is dropped after unlocking. It is foreign code, and a panic
        // may be under way.
        if let Some(waker) = self.waker.take() {
            quietly(|| drop(waker));
        }
    }
}

/// Returns the rank of a call that needs one. Then `came` becomes the time at which it has come.
#[inline]
pub(in super::super) fn read_rank(
    request: Request,
    joins_ranked: bool,
    came: &mut Option<Instant>,
) -> Option<Rank> {
    // Not inline: with it, a call without a rank takes 5 instructions more.
    #[inline(never)]
    fn read(priority: u8, came: &mut Option<Instant>) -> Rank {
        let now = Instant::now();
        *came = Some(now);
        Rank::new(now, priority)
    }

    let needs_rank = request.is_ranked || request.priority > 0 || joins_ranked;
    needs_rank.then(|| read(request.priority, came))
}
