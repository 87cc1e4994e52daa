//! The clock of the recorder: under load it is read once a millisecond for all calls.
//!
//! To look at the system's clock takes longer than all else that is recorded of a call. So a call takes the last
//! reading of any other call, if that is still good. The watcher ends each reading after a millisecond; the next call
//! reads the clock again. While few calls come, and while the watcher looks at something else, which may take any time,
//! each call reads the clock itself.
//!
//! No moment is earlier than one that was given before, whichever threads ask: both come from one variable, or the
//! clock is read after the earlier moment was given. A moment is never ahead of the time.

use crate::watcher::Watch;
use once_cell::sync::OnceCell;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A moment, in nanoseconds since the clock was first asked, and at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// The last reading while it is good. Otherwise [`UNWATCHED`], or [`ENDED`] plus a number that is here only once. So a
/// thread that is late by a tick, or by more, cannot put an old reading here.
static NOW: AtomicU64 = AtomicU64::new(UNWATCHED);

const ENDED: u64 = 1 << 63;
/// Nobody would end a reading.
const UNWATCHED: u64 = u64::MAX;

static TICKS: Watch = Watch::new(tick).before_others(end_ticks);

/// The time for which a reading is good.
const TICK: Duration = Duration::from_millis(1);

/// A thread asks for ticks when it has read the clock so many times without.
const READINGS: u8 = 64;

impl Moment {
    /// Returns the moment. It may be behind the time by a tick: a millisecond, or longer if the system is busy.
    #[inline]
    pub(super) fn recent() -> Self {
        // Relaxed: a later reading on any thread is the same one or a later one.
        let now = NOW.load(Ordering::Relaxed);
        if now < ENDED { Self(now) } else { Self::exact() }
    }

    /// Reads the clock.
    #[inline(never)]
    pub(super) fn exact() -> Self {
        loop {
            // `Acquire` pairs with the `Release` of the exchanges: the clock is read after that.
            let before = NOW.load(Ordering::Acquire);
            let nanoseconds = first().elapsed().as_nanos();
            let now = u64::try_from(nanoseconds).unwrap_or(ENDED).clamp(1, ENDED - 1);
            if before == UNWATCHED {
                count_reading();
                // Otherwise another reading is good by now, which may be an earlier one.
                if NOW.load(Ordering::Acquire) == UNWATCHED {
                    return Self(now);
                }
                continue;
            }
            let is_later = before < ENDED && before >= now;
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            if is_later || NOW.compare_exchange(before, now, success, failure).is_ok() {
                return Self(if is_later { before } else { now });
            }
        }
    }

    pub(super) fn nanoseconds(self) -> u64 {
        self.0
    }

    pub(super) fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    pub(crate) fn instant(self) -> Instant {
        first() + Duration::from_nanos(self.0)
    }

    /// Returns the time since the moment.
    pub(crate) fn elapsed(self) -> Duration {
        self.instant().elapsed()
    }
}

/// Returns the moment when the clock was first asked.
fn first() -> Instant {
    static FIRST: OnceCell<Instant> = OnceCell::new();
    *FIRST.get_or_init(Instant::now)
}

/// Counts a reading of this thread that nobody would end, and asks for ticks when there are many.
fn count_reading() {
    thread_local! {
        static COUNT: Cell<u8> = const { Cell::new(0) };
    }
    // It fails while the thread's locals are dropped.
    let count = COUNT.try_with(|count| count.replace((count.get() + 1) % READINGS));
    if count == Ok(READINGS - 1) {
        TICKS.wake();
    }
}

/// Ends the last reading. Ends the ticks if no call has come since the last one.
fn tick(now: Instant, _: Instant) -> Option<Instant> {
    let ended = next_end();
    let is_idle = (ENDED..UNWATCHED).contains(&NOW.swap(ended, Ordering::AcqRel));
    let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
    // An error means that a call comes now.
    if is_idle && NOW.compare_exchange(ended, UNWATCHED, success, failure).is_ok() {
        return None;
    }
    Some(now + TICK)
}

/// Ends the last reading, and has each call read the clock until the next tick.
fn end_ticks() {
    NOW.store(UNWATCHED, Ordering::Release);
}

/// Returns a number for the end of a reading. No two are the same.
fn next_end() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(ENDED);
    // Relaxed: it is a number and no more.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    #[test]
    fn no_moment_is_earlier_than_one_before_or_ahead_of_the_time() {
        static LATEST: AtomicU64 = AtomicU64::new(0);
        static STOP: AtomicBool = AtomicBool::new(false);
        let ask = |number: u32| {
            let mut asked = 0_u32;
            while !STOP.load(Ordering::Relaxed) {
                let before = LATEST.load(Ordering::Acquire);
                let is_exact = (asked + number) % 5 == 0;
                let now = if is_exact { Moment::exact() } else { Moment::recent() };
                assert!(now.0 >= before, "{now:?} after {before}");
                assert!(now.instant() <= Instant::now());
                LATEST.fetch_max(now.0, Ordering::Release);
                asked += 1;
                // Ticks end now and then.
                if asked % 100_000 == 0 {
                    thread::sleep(5 * TICK);
                }
            }
        };
        // It panics if one of them has.
        thread::scope(|scope| {
            for number in 0..3 {
                scope.spawn(move || ask(number));
            }
            thread::sleep(Duration::from_millis(200));
            STOP.store(true, Ordering::Relaxed);
        });
    }
}
