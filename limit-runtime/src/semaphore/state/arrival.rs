//! A call that comes in by the lock.

use super::super::rank::Rank;
use super::super::wait_list::{Position, WaitList};
use crate::deadline::Deadline;
use crate::policy::{Order, Ranking, Request};
use crate::rejected::RejectedKind;
use crate::unwind::quietly;
use std::task::Waker;
use std::time::Duration;
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
    /// How long the call would wait, if it is to be refused at once when that is too short.
    pub(super) patience: Option<Patience>,
}

/// The longest wait of a call, and the time at which it came.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Patience {
    pub(super) now: Instant,
    pub(super) most: Duration,
}

impl Arrival {
    #[inline]
    pub(in super::super) fn new(refused_as: Option<RejectedKind>) -> Self {
        Self { refused_as, waker: None, rank: None, joins_ranked: false, patience: None }
    }

    /// Gets what the call needs to join. If that is a rank, notes the time at which the call has come.
    ///
    /// The caller holds no lock: a waker is foreign code, and a reading of the clock takes its time.
    #[inline]
    pub(in super::super) fn prepare(
        &mut self,
        waker: &Waker,
        request: Request,
        came: &mut Came<'_>,
    ) {
        if self.waker.is_none() {
            self.waker = Some(waker.clone());
        }
        self.rank = read_rank(request, self.joins_ranked, came);
    }

    /// Lets the call be refused at once if it would wait for too long. The caller holds no lock, as in
    /// [`prepare`](Self::prepare).
    #[cold]
    pub(in super::super) fn judge(&mut self, came: &mut Came<'_>) {
        // A call that has waited elsewhere is not judged: it may be about to be served.
        if came.at.is_none() {
            let now = Instant::now();
            came.at = Some(now);
            let until = came.deadline.and_then(|deadline| deadline.moment(now));
            let most = until.map_or(Duration::MAX, |until| until.saturating_duration_since(now));
            self.patience = Some(Patience { now, most });
        }
    }

    /// Returns the rank of a call that has been prepared to join by it.
    pub(super) fn rank(&self) -> Option<Rank> {
        self.rank
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

/// The time of a call.
#[derive(Debug, Default)]
pub(crate) struct Came<'a> {
    /// The time at which it came, once somebody has wanted to know it. If the call enters again, the time at which it
    /// began to wait.
    pub(crate) at: Option<Instant>,
    /// The longest that it waits. `None` for a call that cannot be refused.
    pub(crate) deadline: Option<&'a Deadline>,
}

/// Returns the rank of a call that needs one, after noting the time at which it has come.
#[inline]
pub(in super::super) fn read_rank(
    request: Request,
    joins_ranked: bool,
    came: &mut Came<'_>,
) -> Option<Rank> {
    // Not inline: with it, a call without a rank takes 5 instructions more.
    #[inline(never)]
    fn read(request: Request, came: &mut Came<'_>) -> Rank {
        let now = Instant::now();
        let at = *came.at.get_or_insert(now);
        match request.ranking {
            Ranking::ByDeadline => {
                Rank::of_deadline(came.deadline.and_then(|deadline| deadline.moment(at)))
            }
            Ranking::IfPrior | Ranking::ByPriority => Rank::new(now, request.priority),
        }
    }

    let needs_rank = request.ranking != Ranking::IfPrior || request.priority > 0 || joins_ranked;
    needs_rank.then(|| read(request, came))
}
