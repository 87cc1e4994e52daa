//! The clock of the recorder: under load it is read once a millisecond for all calls.
//!
//! To look at the system's clock takes longer than all else that is recorded of a call. So a call takes the last
//! reading of any other call, if that is still good. A thread, the *ticker*, ends each reading after a millisecond; the
//! next call reads the clock again. While few calls come, the ticker sleeps, and each call reads the clock itself.
//!
//! No moment is earlier than one that was given before, whichever threads ask: both come from one variable, or the
//! clock is read after the earlier moment was given. A moment is never ahead of the time.

use once_cell::sync::OnceCell;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// A moment, in nanoseconds since the clock was first asked, and at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// The last reading while it is good. Otherwise [`ASLEEP`], or [`ENDED`] plus a number that is here only once. So a
/// thread that is late by a tick, or by a sleep of the ticker, cannot put an old reading here.
static NOW: AtomicU64 = AtomicU64::new(ASLEEP);

const ENDED: u64 = 1 << 63;
/// The ticker sleeps.
const ASLEEP: u64 = u64::MAX;

/// The time for which a reading is good.
const TICK: Duration = Duration::from_millis(1);

/// A thread wakes the ticker when it has read the clock so many times while the ticker slept.
const READINGS: u8 = 64;

impl Moment {
    /// Returns the moment. It may be behind the time by as much as the ticker sleeps: a millisecond, or longer if the
    /// system is busy.
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
            if before == ASLEEP {
                count_reading();
                // Otherwise another reading is good by now, which may be an earlier one.
                if NOW.load(Ordering::Acquire) == ASLEEP {
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

/// Counts a reading of this thread while the ticker sleeps, and wakes the ticker when there are many.
fn count_reading() {
    thread_local! {
        static COUNT: Cell<u8> = const { Cell::new(0) };
    }
    // It fails while the thread's locals are dropped.
    let count = COUNT.try_with(|count| count.replace((count.get() + 1) % READINGS));
    if count == Ok(READINGS - 1) {
        wake_ticker();
    }
}

#[cold]
fn wake_ticker() {
    static TICKER: OnceCell<Thread> = OnceCell::new();
    let start = || {
        let ticker = thread::Builder::new().name("limit-clock".to_owned()).spawn(tick)?;
        Ok::<_, std::io::Error>(ticker.thread().clone())
    };
    // Without a thread each call goes on reading the clock.
    let Ok(ticker) = TICKER.get_or_try_init(start) else { return };
    let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
    if NOW.compare_exchange(ASLEEP, next_end(), success, failure).is_ok() {
        ticker.unpark();
    }
}

/// Returns a number for the end of a reading, or of the ticker's sleep. No two are the same.
fn next_end() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(ENDED);
    // Relaxed: it is a number and no more.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Runs the ticker.
fn tick() {
    loop {
        while NOW.load(Ordering::Relaxed) == ASLEEP {
            thread::park();
        }
        thread::sleep(TICK);
        let ended = next_end();
        if NOW.swap(ended, Ordering::AcqRel) >= ENDED {
            // No call has come for a tick. An error means that one comes now.
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            let _ = NOW.compare_exchange(ended, ASLEEP, success, failure);
        }
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

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
                // The ticker falls asleep now and then.
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
