//! The waits that have ended lately and are not in the histogram yet, and which waits are measured.
//!
//! To measure a wait takes two looks at the clock, and to count it some fifty instructions. Together they are a sixth
//! of a call that queues. So a semaphore measures all waits while fewer than some 10,000 in a second begin, and one in
//! sixteen above. A wait that is not measured is counted as one that ended at about the same time: the number of
//! waits is exact, and the histogram's form is that of the sample.
//!
//! No clock tells the rate. By Little's law (J. Little, *A proof for the queuing formula L = λW*, Operations Research
//! 9, 1961) it is the number of the calls that wait, divided by how long one waits.
//!
//! One wait stands for others only where calls are served in the order in which they came: there it is like the waits
//! around it. With another order, priorities or keys each wait is measured.
//!
//! A limit that adapts learns from measured calls alone, of which it samples fewer still under load: see [`Noted`].
//!
//! The first call of a queue is always measured. So where calls seldom wait, each wait is measured, however short.

/// The waits that are counted at a time. Together with the fields before them they fill a cache line.
const RECENT: usize = 6;

/// The waits of which one is measured under load.
const ONE_IN: u8 = 16;

/// The measured waits in a row that must show load before others are left out.
const RUN: u8 = 6;

/// Under load a wait begins in less than this, in nanoseconds.
const APART: u64 = 100_000;

/// The measured waits under load of which a limit that adapts samples one.
const SAMPLE_ONE_IN: u8 = 4;

/// What is noted of a call that begins to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noted {
    Nothing,
    /// The time of its wait.
    Wait,
    /// Also how long it holds its permits, if the limit adapts. That costs more than to measure a wait. So under load it
    /// is noted of fewer calls, which is one in 64 where calls are served in their order.
    WaitAndHold,
}

/// In place of a wait in nanoseconds: it was not measured.
pub(super) const UNMEASURED: u64 = u64::MAX >> 3;

/// The waits of calls that have given their permits back, in nanoseconds.
#[derive(Debug)]
#[repr(C)]
pub(super) struct RecentWaits {
    /// The waits that ended and were not measured.
    unmeasured: u32,
    /// The number of `waits`.
    length: u8,
    /// The next waits that are not to be measured.
    left_out: u8,
    /// The measured waits in a row that have shown load.
    under_load: u8,
    /// The measured waits under load, which wrap.
    turn: u8,
    /// While there are fewer than these, the last one is the latest that was counted.
    waits: [u64; RECENT],
}

impl RecentWaits {
    pub(super) const fn new() -> Self {
        Self { unmeasured: 0, length: 0, left_out: 0, under_load: 0, turn: 0, waits: [0; RECENT] }
    }

    /// Returns what is noted of the call that begins to wait behind so many others, to be served in their order.
    #[inline]
    pub(super) fn begin(&mut self, waiting: u32) -> Noted {
        if self.left_out > 0 && waiting > 0 {
            self.left_out -= 1;
            return Noted::Nothing;
        }
        if self.under_load < RUN {
            self.left_out = 0;
            return Noted::WaitAndHold;
        }
        self.left_out = ONE_IN - 1;
        self.begin_under_load(SAMPLE_ONE_IN)
    }

    /// Returns what is noted of a call that is served in another order.
    #[inline]
    pub(super) fn begin_in_other_order(&mut self) -> Noted {
        if self.under_load < RUN {
            return Noted::WaitAndHold;
        }
        self.begin_under_load(SAMPLE_ONE_IN * ONE_IN)
    }

    fn begin_under_load(&mut self, sample_one_in: u8) -> Noted {
        self.turn = self.turn.wrapping_add(1);
        if self.turn % sample_one_in == 0 { Noted::WaitAndHold } else { Noted::Wait }
    }

    /// Adds a wait that has ended, in nanoseconds, while so many calls wait. Returns whether all are to be counted now.
    #[inline]
    pub(super) fn add(&mut self, wait: u64, waiting: u32) -> bool {
        if wait == UNMEASURED {
            self.unmeasured += 1;
            return self.unmeasured == u32::MAX;
        }
        if wait < u64::from(waiting) * APART {
            self.under_load = self.under_load.saturating_add(1);
        } else {
            (self.under_load, self.left_out) = (0, 0);
        }
        self.waits[usize::from(self.length)] = wait;
        self.length += 1;
        usize::from(self.length) == RECENT
    }

    /// Takes the waits out: each measured one, and for how many calls it counts.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let waits = self.waits;
        let length = usize::from(std::mem::take(&mut self.length));
        let unmeasured = u64::from(std::mem::take(&mut self.unmeasured));
        if let Some(latest) = length.checked_sub(1) {
            self.waits[RECENT - 1] = waits[latest];
        }
        // Without a measured one, the others count as the latest.
        let first = if length == 0 && unmeasured > 0 { RECENT - 1 } else { 0 };
        let end = if first > 0 { RECENT } else { length };
        let number = (end - first) as u64;
        std::iter::zip(0.., first..end).map(move |(index, wait)| {
            let measured = u64::from(first == 0);
            let share = unmeasured / number + u64::from(index < unmeasured % number);
            (waits[wait], measured + share)
        })
    }

    /// Returns the latest wait that was measured. All must have been taken out.
    pub(super) fn latest(&self) -> u64 {
        self.waits[RECENT - 1]
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    /// Ends as many waits as given, behind ten others. Returns how many were measured.
    fn end_waits(waits: &mut RecentWaits, count: usize, nanoseconds: u64) -> usize {
        let mut measured = 0;
        for _ in 0..count {
            let is_measured = waits.begin(10) != Noted::Nothing;
            measured += usize::from(is_measured);
            if waits.add(if is_measured { nanoseconds } else { UNMEASURED }, 10) {
                assert_eq!(waits.length as usize, RECENT);
                let _ = waits.take();
            }
        }
        measured
    }

    #[test]
    fn each_is_measured_below_the_rate_and_one_in_sixteen_above_it() {
        let mut waits = RecentWaits::new();
        assert_eq!(end_waits(&mut waits, 100, 10 * APART), 100);
        // The sixth of them shows that there is load. The seventh has begun before it ended.
        assert_eq!(end_waits(&mut waits, 6 + 160, 10 * APART - 1), 6 + 10);
        assert_ne!(waits.begin(0), Noted::Nothing, "the first of a queue is");
    }

    #[test]
    fn under_load_one_call_in_64_is_sampled_in_any_order() {
        let mut waits = RecentWaits::new();
        let sampled = |waits: &mut RecentWaits, begin: fn(&mut RecentWaits) -> Noted| {
            (0..640).filter(|_| begin(waits) == Noted::WaitAndHold).count()
        };
        assert_eq!(sampled(&mut waits, RecentWaits::begin_in_other_order), 640);
        assert_eq!(sampled(&mut waits, |waits| waits.begin(10)), 640);
        end_waits(&mut waits, 6, 1);
        assert_eq!(sampled(&mut waits, |waits| waits.begin(10)), 10);
        assert_eq!(sampled(&mut waits, RecentWaits::begin_in_other_order), 10);
    }

    #[test]
    fn a_long_one_shows_that_the_load_is_over() {
        let mut waits = RecentWaits::new();
        end_waits(&mut waits, 6 + 16, 1);
        assert!(end_waits(&mut waits, 32, 10 * APART) >= 32 - usize::from(ONE_IN));
        assert_eq!(end_waits(&mut waits, 100, 10 * APART), 100);
    }

    #[test]
    fn all_waits_count_whether_they_were_measured_or_not() {
        for (measured, unmeasured) in [(0, 0), (1, 0), (6, 0), (0, 7), (2, 5), (6, 90), (3, 1)] {
            let mut waits = RecentWaits::new();
            waits.add(77, 1);
            assert_eq!(waits.take().collect::<Vec<_>>(), [(77, 1)]);
            for wait in 0..measured {
                waits.add(wait, 1);
            }
            for _ in 0..unmeasured {
                waits.add(UNMEASURED, 1);
            }
            let taken: Vec<_> = waits.take().collect();
            assert_eq!(taken.iter().map(|(_, calls)| calls).sum::<u64>(), measured + unmeasured);
            let expected: Vec<_> = (0..measured).collect();
            let known = taken.iter().map(|(wait, _)| *wait).collect::<Vec<_>>();
            let latest = if measured == 0 && unmeasured > 0 { vec![77] } else { expected };
            assert_eq!(known, latest);
            assert_eq!(waits.take().count(), 0);
        }
    }
}
