//! Readings of a clock, with the clock that was read.
//!
//! Time is tokio's, so that tests can pause it. Each paused runtime has a clock of its own, which
//! stands still, leaps, and may be hours away from the real one. All other runtimes share the real
//! clock, and so does a thread outside any runtime. Tokio does not say which clock a reading is from,
//! so each reading is compared with the real clock on the spot.

use std::panic::catch_unwind;
use std::time::{self, Duration};
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

/// A reading of the clock of the runtime that the thread is in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) clock: Clock,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The runtime whose clock it is; `None` outside any runtime.
    runtime: Option<Id>,
    /// True if the clock shows the real time.
    is_real: bool,
}

impl Moment {
    /// Reads the clock. Never panics: in the destructor of a thread-local [`Instant::now`] panics
    /// once a clock has been paused anywhere, because it asks a thread-local for the runtime. So this
    /// asks for the runtime first.
    pub(super) fn now() -> Self {
        let before = time::Instant::now();
        let Ok(runtime) = Handle::try_current() else {
            let clock = Clock { runtime: None, is_real: true };
            return Self { at: Instant::from_std(before), clock };
        };
        let at = Instant::now();
        // A clock that was ever paused stands still, or is late by how long it stood. If it showed
        // the real time within these few nanoseconds by chance, a window would be cut short once, in
        // a test.
        let is_real = (before..=time::Instant::now()).contains(&at.into_std());
        Self { at, clock: Clock { runtime: Some(runtime.id()), is_real } }
    }

    /// Returns the time from this moment to a later one, by one clock.
    pub(super) fn time_until(self, later: Self) -> Duration {
        later.at.saturating_duration_since(self.at)
    }
}

impl Clock {
    /// Returns whether it shows the real time.
    pub(super) fn is_real(self) -> bool {
        self.is_real
    }

    /// Returns whether readings of both can be compared. A runtime's clock is one clock even if it is
    /// paused in between, because it goes on from there.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        (self.is_real && other.is_real) || (self.runtime.is_some() && self.runtime == other.runtime)
    }
}

/// Reads the clock for a caller that only calculates with the time. It is cheaper than
/// [`Moment::now`]: it does not ask for the runtime, whose reference count all its threads share.
/// Never panics either.
pub(super) fn now() -> Instant {
    catch_unwind(Instant::now).unwrap_or_else(|_| Instant::from_std(time::Instant::now()))
}
