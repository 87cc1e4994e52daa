//! A thread that looks for permits that have been held for long.

use crate::engine::{Engine, catalog};
use crate::logging::{self, TARGET};
use crate::recorder::slots::{self, Info};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;
use tracing::Level;

/// Logs a permit. A macro, because the level of an event is a constant.
macro_rules! report {
    ($info:expr, $limiter:expr, $level:expr, $message:literal) => {
        let (info, limiter): (&Info, Option<&Engine>) = ($info, $limiter);
        logging::tell(|| {
            tracing::event!(
                target: TARGET,
                $level,
                limiter = limiter.map_or("(dropped)", |limiter| &limiter.name),
                place = %info.site,
                age = ?info.since.elapsed(),
                task = info.task.map(tracing::field::display),
                $message
            );
        });
    };
}

/// The age at which a permit is logged, in nanoseconds. Relaxed: no other data depends on it.
static WARN_AFTER: AtomicU64 = AtomicU64::new(30_000_000_000);

static START: Once = Once::new();
static LOOK_AGAIN: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());

/// The longest time between two looks. Usually it is a quarter of the age at which a permit is
/// logged.
const MOST: Duration = Duration::from_secs(1);
/// The shortest time between two looks.
const LEAST: Duration = Duration::from_millis(5);

/// Starts the thread, if it has not been started.
#[inline]
pub(super) fn start() {
    if !START.is_completed() {
        START.call_once(|| {
            // Without this thread a program gets no warnings, but works. So a failure to start it
            // is ignored.
            drop(thread::Builder::new().name("limit-diagnostics".to_owned()).spawn(watch));
        });
    }
}

/// Sets the age at which a permit is logged, and wakes the thread.
pub(super) fn warn_after(age: Duration) {
    let nanoseconds = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    WARN_AFTER.store(nanoseconds, Ordering::Relaxed);
    LOOK_AGAIN.1.notify_all();
}

fn watch() {
    loop {
        let after = Duration::from_nanos(WARN_AFTER.load(Ordering::Relaxed));
        let is_long = |info: &Info| info.holds && info.since.elapsed() >= after;
        slots::report_each(is_long, limiter, |info, limiter| {
            // Foreign code. If it panics, the panic hook has reported that, and the next permit is
            // reported all the same.
            let reported = panic::catch_unwind(AssertUnwindSafe(|| {
                report!(info, limiter.as_deref(), Level::WARN, "permit has been held for long");
            }));
            drop(reported);
        });
        let guard = LOOK_AGAIN.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = (after / 4).clamp(LEAST, MOST);
        drop(LOOK_AGAIN.1.wait_timeout(guard, wait));
    }
}

/// Logs that a reported permit is back. That is good news, and no warning.
pub(super) fn report_end(info: &Info, limiter: Option<&Engine>) {
    report!(info, limiter, Level::INFO, "permit that had been held for long is back");
}

/// Returns the limiter of a call, unless it was dropped. The call's permits must be out: until they
/// are back, no other limiter has the index.
pub(super) fn limiter(info: &Info) -> Option<Arc<Engine>> {
    catalog::at_index(info.limiter? as usize)
}
