//! The calls that hold permits or wait for them: where each was made, in which task, and for how
//! long.
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
//! The feature `diagnostics` alone records nothing. Recording starts with [`record(true)`](record).
//! Calls that were admitted before are not listed.
//!
//! The module logs with `tracing`, as warnings of the target `limit_runtime`. The program must install a
//! subscriber, such as `tracing_subscriber::fmt().init()`.
//!
//! # Cost
//!
//! While recording is on, each call asks tokio for the task, and writes to a slot that no other call
//! writes to. It uses no map and no lock. Under load the clock is read once a millisecond for all
//! calls: a thread, which sleeps while few calls come, ends each reading. So ages and starts may be
//! wrong by a millisecond, and by more if the machine is so busy that the thread is late. While
//! recording is off, each call reads one atomic. Without the feature there is no cost. See the
//! project's `BENCHMARKS.md`.
//!
//! # Permits held for long
//!
//! A permit may be held for longer than [`warn_after`], which is 30 seconds by default. Then it is
//! logged once as a warning, with its place, task and age. It is logged once more when it comes
//! back. A thread looks for such permits at least once a second. The first [`record(true)`](record)
//! starts the thread.
//!
//! # Deadlocks
//!
//! Calls can wait for each other's permits for ever, or a call for the permits of its own task. The thread finds them
//! one to three seconds later, and logs a warning for each deadlock. [`deadlocks`](deadlocks()) lists those that still
//! exist. With [`Limiter::on_deadlock`](crate::Limiter::on_deadlock) one of the calls is refused. See
//! [programs that hang](crate::guide::hazards#a-deadlock-across-limiters).
//!
//! # Order
//!
//! Calls that take the same limiters in different orders can wait for each other for ever. In debug builds the log
//! warns of that before it happens: see [`warn_of_order`]. Debug builds keep a map of the recorded calls for this, with
//! one lock that all calls share.
//!
//! # Places
//!
//! A call's place is the source location where the call was made: of `acquire()`, `try_acquire()`,
//! `run(…)` and so on. A call of an annotated function has the location of the attribute, wherever
//! the caller is.

mod calls;
mod clock;
mod deadlocks;
mod oldest;
mod order;
mod unclaimed;
mod watch;

use crate::engine;
use crate::recorder::Info;
use crate::recorder::{self, Agent, on_end};
pub use calls::Call;
pub use deadlocks::{Deadlock, StuckCall, deadlocks};
pub use oldest::OldestHolders;
pub use order::warn_of_order;
use std::time::Duration;

/// Switches recording on or off from now on. Recording is off at the start.
pub fn record(on: bool) {
    recorder::record(on);
    if on {
        engine::records::note_recording();
        on_end(report_end);
        recorder::on_taken_back(unclaimed::tell);
        watch::start();
        deadlocks::start();
        order::start();
    }
}

/// Returns whether calls are recorded.
#[must_use]
pub fn is_recording() -> bool {
    recorder::is_recording()
}

/// Sets the age at which a held permit is logged. [`Duration::MAX`] switches the warnings off.
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

/// Counts the hold time of a call if the call is a sample. Logs its end if the log has reported the
/// call.
fn report_end(info: Info, agent: Agent, is_reported: bool) -> Box<dyn FnOnce()> {
    let (limiter, held) = (watch::limiter(&info), info.since.elapsed());
    Box::new(move || {
        // The figure comes first, in case the log panics.
        if let Some(limiter) = limiter.as_ref().filter(|_| info.is_sample) {
            limiter.record_hold(held);
        }
        if is_reported {
            watch::report_end(&info, agent, limiter.as_deref());
        }
    })
}
