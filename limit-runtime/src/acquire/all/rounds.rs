//! The rule by which a call takes the permits of several limits. It knows no limiters: it asks for one step after the
//! other, and is told what came of each.
//!
//! # The rule
//!
//! 1. The call looks whether all limits have permits for it. If so it takes them, without waiting.
//! 2. Otherwise it waits in the queue of the first limit that has none. It holds nothing there.
//! 3. When it is handed those permits, it looks at the others again. If one of them has none, the *round* has failed:
//!    the call gives the permits back, and waits at that one.
//! 4. After [`ROUNDS`] failed rounds it takes the limits one after the other, in one order that all calls of the
//!    process have, and holds what it has.
//!
//! # Proof
//!
//! *No deadlock.* Let each call that has all its permits give them back in the end. A call in the first three steps
//! holds nothing while it waits. A call in the last step waits for a limit that comes after all those that it holds. So
//! of the calls that wait and hold, look at one that waits for the last limit, in the common order, for which any of
//! them waits. The permits of that limit are with calls that hold it and wait for nothing after it: such a call has all
//! its permits, and gives them back. This needs nothing of the queues but that each serves its waiters in the end. So
//! it holds with any order of service, and with weights.
//!
//! (A call that was handed permits in its queue has them reserved until it is polled. It is woken then, and if its task does
//! not poll it, the watcher takes them back: see `semaphore::state::away`.)
//!
//! *No starvation.* The call joins at most `ROUNDS` queues in the first three steps, and one for each of its `n`
//! limits in the last. It joins each as any other call does, at the end if the queue is first come, first served. So
//! it waits at most `ROUNDS + n` times as a call for one of the limits waits.
//!
//! *Why it holds at all.* Let two limits of 1 permit be asked for without end by other calls. They are never free at the
//! same time. So a rule that leaves no permit idle while a call waits for it never admits a call for both.
//!
//! The tests look at all schedules of small cases.

#[cfg(all(test, not(limit_loom)))]
mod tests;

/// The failed rounds after which a call holds what it has.
pub(super) const ROUNDS: u8 = 3;

/// The next step of a call. The limits are numbered in the common order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// Look whether permits are free, and change nothing.
    Look(u8),
    /// Take permits that are free.
    Take(u8),
    /// Wait in the queue, and leave the permits unclaimed.
    Wait(u8),
    /// Claim the permits that the wait has ended with.
    Claim(u8),
    /// Give back the permits that were taken, or that the wait has ended with.
    GiveBack(u8),
    /// Wait in the queue, and hold the permits from then on.
    Hold(u8),
    /// The call has all permits.
    Done,
}

/// The progress of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rounds {
    step: Step,
    /// The number of limits.
    count: u8,
    /// The limit whose permits the call was handed in its queue, while they are not claimed.
    handed: Option<u8>,
    /// The limits whose permits it has taken, a bit each.
    taken: u8,
    /// The limit to wait for, when all is given back.
    lacking: u8,
    /// The rounds that have failed.
    failed: u8,
}

impl Rounds {
    /// Begins a call for 1 to 8 limits.
    #[inline]
    pub(super) fn new(count: u8) -> Self {
        debug_assert!((1..=8).contains(&count), "a bit for each limit");
        Self { step: Step::Look(0), count, handed: None, taken: 0, lacking: 0, failed: 0 }
    }

    /// Returns the number of limits.
    pub(super) fn count(self) -> usize {
        usize::from(self.count)
    }

    /// Returns the next step.
    #[inline]
    pub(super) fn step(self) -> Step {
        self.step
    }

    /// Notes that the step is done, or with `false` that it has found too few permits.
    #[inline]
    pub(super) fn done(&mut self, succeeded: bool) {
        self.step = match (self.step, succeeded) {
            (Step::Look(limit), true) => match self.other(limit + 1) {
                Some(next) => Step::Look(next),
                None => self.take_from(0),
            },
            (Step::Look(limit) | Step::Take(limit), false) => self.fail(limit),
            (Step::Take(limit), true) => {
                self.taken |= 1 << limit;
                self.take_from(limit + 1)
            }
            (Step::Wait(limit), true) => {
                self.handed = Some(limit);
                match self.other(0) {
                    Some(next) => Step::Look(next),
                    None => Step::Claim(limit),
                }
            }
            (step @ (Step::Wait(_) | Step::Hold(_)), false) => step,
            (Step::Claim(limit), false) => {
                // The permits have gone to another call meanwhile. The wait goes on.
                self.handed = None;
                self.lacking = limit;
                self.give_back()
            }
            (Step::GiveBack(limit), _) => {
                self.taken &= !(1 << limit);
                self.give_back()
            }
            (Step::Hold(limit), true) if limit + 1 < self.count => Step::Hold(limit + 1),
            (Step::Claim(_) | Step::Hold(_), true) | (Step::Done, _) => Step::Done,
        };
    }

    /// Ends a round, because a limit has too few permits.
    fn fail(&mut self, lacking: u8) -> Step {
        self.lacking = lacking;
        self.taken |= self.handed.take().map_or(0, |handed| 1 << handed);
        if self.taken != 0 {
            self.failed += 1;
        }
        self.give_back()
    }

    /// Gives back what the call has, and then waits.
    fn give_back(self) -> Step {
        match (0..self.count).rev().find(|limit| self.taken & (1 << limit) != 0) {
            Some(limit) => Step::GiveBack(limit),
            None if self.failed < ROUNDS => Step::Wait(self.lacking),
            None => Step::Hold(0),
        }
    }

    /// Takes the limits from `limit` on. The one that the call was handed comes last: as long as it is not claimed, the
    /// call was not admitted there.
    #[inline]
    fn take_from(self, limit: u8) -> Step {
        match (self.other(limit), self.handed) {
            (Some(next), _) => Step::Take(next),
            (None, Some(handed)) => Step::Claim(handed),
            (None, None) => Step::Done,
        }
    }

    /// Returns the first limit from `limit` on that the call was not handed.
    #[inline]
    fn other(self, limit: u8) -> Option<u8> {
        let next = if self.handed == Some(limit) { limit + 1 } else { limit };
        (next < self.count).then_some(next)
    }
}
