//! Refusals without the lock, and what a refusal asks for later.
//!
//! A call that may not wait is refused by the word, if SLOW is clear and too few permits are free. SLOW says that
//! no call waits, no mode is on, and the semaphore is bound. So one load of the word decides, as one exchange decides
//! about a call that is admitted: the call is refused at the moment of that load. The limit comes from the [`Hint`](super::hint::Hint). It
//! may be another one if the limit is changed at that very moment. Then the refusal shows it.

use super::moment;
use super::permits::Semaphore;
use super::word::{AVAILABLE, SLOW};
use crate::rejected::{Estimates, Refusal, RejectedKind};
use crate::sync::Ordering;
use std::time::Duration;

impl Semaphore {
    /// Returns whether SLOW is set, so that the word alone decides about no call.
    #[inline]
    pub(crate) fn is_slow(&self) -> bool {
        // Relaxed: whoever decides looks again.
        self.word.load(Ordering::Relaxed) & SLOW != 0
    }

    /// Refuses a call that finds too few permits free and may not wait, if the word alone decides that.
    /// `has_time` says whether the call itself would wait.
    #[inline]
    pub(crate) fn refuse_by_word(
        &'static self,
        weight: u32,
        has_time: impl FnOnce() -> bool,
        still_ours: impl Fn() -> bool,
    ) -> Option<Refusal> {
        let hint = self.hint.load();
        if !hint.refuses(weight) {
            return None;
        }
        // `Acquire`: `still_ours` must not be asked before this load. The semaphore was the caller's then, and bound.
        let word = self.word.load(Ordering::Acquire);
        let available = (word & AVAILABLE) as u32;
        if word & SLOW != 0 || available >= weight {
            return None;
        }
        let (kind, count) = match has_time() {
            false => (RejectedKind::NoPermits, &self.refused.no_permits),
            true if hint.nobody_waits() => (RejectedKind::QueueFull, &self.refused.queue_full),
            true => return None,
        };
        if !still_ours() {
            return None;
        }
        // Relaxed: a count guards no other data.
        count.fetch_add(1, Ordering::Relaxed);
        // Fewer permits than the call wants are free, and it wants no more than the limit.
        let refusal = Refusal::new(kind, hint.limit(), hint.limit() - available, 0);
        Some(refusal.estimated_later(hint.binding()).with_source(self))
    }
}

impl Estimates for Semaphore {
    fn time_for(&self, refusal: &Refusal) -> Option<Duration> {
        let now = moment::now();
        self.lock().time_for(&self.word, refusal, now)
    }
}
