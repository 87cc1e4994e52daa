//! Who holds permits and who waits for them, with place, task and age.
//!
//! ```
//! use limit_runtime::Limiter;
//! use limit_runtime::diagnostics;
//!
//! static DB: Limiter = Limiter::new("diagnostics-example", 2);
//!
//! diagnostics::record(true);
//! let permit = DB.try_acquire()?;
//! for holder in DB.holders() {
//!     println!("{holder}"); // src/main.rs:7:17, for 0.1ms, outside any task
//! }
//! # drop(permit);
//! # Ok::<(), limit_runtime::Rejected>(())
//! ```
//!
//! # When it is on
//!
//! The feature `diagnostics` alone records nothing. Calls are recorded from [`record(true)`](record) on. Calls
//! that were admitted before are not seen.
//!
//! # What it costs
//!
//! For each call, a look at the clock and at tokio for the task, and two writes to a slot that nobody else
//! writes to; no map, and no lock that all calls share. (A slot is a `crossbeam_utils::atomic::AtomicCell`. What it
//! holds is larger than the processor writes at once, so crossbeam guards it by one of 67 counters, chosen by the
//! slot's address.) See the project's `BENCHMARKS.md`. While it is off, one look at an atomic; without the
//! feature, nothing.
//!
//! # Permits held for long
//!
//! A permit that has been held for longer than [`warn_after`], 30 seconds if nothing else is said, is
//! logged once as a warning, with its place, task and age; and once more when it comes back. A thread
//! looks for such permits every so often. The first [`record(true)`](record) starts it.
//!
//! # Places
//!
//! A call's place is where it was made: `acquire()`, `try_acquire()`, `run(…)` and so on, or the
//! attribute of an annotated function (which stands for all its callers).

mod calls;
mod clock;
mod oldest;
mod watch;

use crate::recorder::slots::Info;
use crate::recorder::{self, on_end};
pub use calls::Call;
pub use oldest::OldestHolders;
use std::time::Duration;

/// Switches recording on or off, from now on. It is off at the start.
pub fn record(on: bool) {
    if on {
        on_end(tell_end);
        watch::start();
    }
    recorder::record(on);
}

/// Returns whether calls are recorded.
#[must_use]
pub fn is_recording() -> bool {
    recorder::is_recording()
}

/// Sets the age at which a permit that is held is logged. [`Duration::MAX`]: never.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// limit_runtime::diagnostics::warn_after(Duration::from_secs(5));
/// ```
pub fn warn_after(age: Duration) {
    watch::warn_after(age);
}

/// Counts how long a call held its permits, if it is a sample, and logs that they are back, if it was warned
/// that they were out for long.
fn tell_end(info: Info, is_sample: bool) -> Box<dyn FnOnce()> {
    let (limiter, held) = (watch::limiter(&info), info.since.elapsed());
    Box::new(move || {
        // First the figure, in case the log panics.
        if let Some(limiter) = limiter.as_ref().filter(|_| is_sample) {
            limiter.record_hold(held);
        }
        if info.is_told {
            watch::tell_end(&info, limiter.as_deref());
        }
    })
}
