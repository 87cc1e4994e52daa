//! What time it is, and by which clock.
//!
//! Time is tokio's, so that it can be paused in tests: then each paused runtime has a clock of its own,
//! which stands still, leaps, and may be hours away from the real one. All others share the real one,
//! and so does a thread outside any runtime. Nothing says which clock a reading is of, so each is
//! compared with the real one on the spot.

use std::panic::catch_unwind;
use std::time;
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

/// A reading of the clock of whoever reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) clock: Clock,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Whose it is; `None` outside any runtime.
    runtime: Option<Id>,
    /// Whether it shows the real time.
    is_real: bool,
}

impl Moment {
    /// Now. Never panics: [`Instant::now`] does in the destructor of a thread-local, once a clock has
    /// been paused anywhere, because it asks a thread-local for the runtime. So we ask first.
    pub(super) fn now() -> Self {
        let before = time::Instant::now();
        let Ok(runtime) = Handle::try_current() else {
            let clock = Clock { runtime: None, is_real: true };
            return Self { at: Instant::from_std(before), clock };
        };
        let at = Instant::now();
        // A clock that was ever paused stands still, or is off by how long it stood. Were it taken to
        // be real within these few nanoseconds, a window would be cut short once, in a test.
        let is_real = (before..=time::Instant::now()).contains(&at.into_std());
        Self { at, clock: Clock { runtime: Some(runtime.id()), is_real } }
    }
}

impl Clock {
    /// Whether readings of both can be compared. (A runtime's clock is one even if it is paused in
    /// between: it goes on from there.)
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        (self.is_real && other.is_real) || (self.runtime.is_some() && self.runtime == other.runtime)
    }
}

/// Now, for those who only reckon with it: cheaper, because it does not ask for the runtime, which is
/// counted on a counter that all its threads share. Never panics either.
pub(super) fn now() -> Instant {
    catch_unwind(Instant::now).unwrap_or_else(|_| Instant::from_std(time::Instant::now()))
}
