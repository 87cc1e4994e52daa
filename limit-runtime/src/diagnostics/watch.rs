//! The look for permits that have been held for long.

use crate::engine::{Engine, catalog};
use crate::logging::{self, TARGET};
use crate::recorder::Info;
use crate::recorder::slots;
use crate::recorder::{self, Agent};
use crate::unwind;
use crate::watcher::Watch;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tracing::Level;

/// Logs a permit. A macro, because the level of an event is a constant.
macro_rules! report {
    ($info:expr, $agent:expr, $limiter:expr, $level:expr, $message:literal) => {
        let (info, agent): (&Info, Agent) = ($info, $agent);
        let limiter: Option<&Engine> = $limiter;
        logging::tell(|| {
            tracing::event!(
                target: TARGET,
                $level,
                limiter = limiter.map_or("(dropped)", |limiter| &limiter.name),
                place = %info.site,
                age = ?info.since.elapsed(),
                task = agent.task().map(tracing::field::display),
                $message
            );
        });
    };
}

/// The age at which a permit is logged, in nanoseconds. Relaxed: no other data depends on it.
static WARN_AFTER: AtomicU64 = AtomicU64::new(30_000_000_000);

static PERMITS: Watch = Watch::new(look);

/// The longest time between two looks. Usually it is a quarter of the age at which a permit is
/// logged.
const MOST: Duration = Duration::from_secs(1);
/// The shortest time between two looks.
const LEAST: Duration = Duration::from_millis(5);

/// Has the watcher look for such permits from now on.
pub(super) fn start() {
    PERMITS.wake();
}

/// Sets the age at which a permit is logged, and has the watcher look at once.
pub(super) fn warn_after(age: Duration) {
    let nanoseconds = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    WARN_AFTER.store(nanoseconds, Ordering::Relaxed);
    PERMITS.wake();
}

fn look(now: Instant, _: Instant) -> Option<Instant> {
    let after = Duration::from_nanos(WARN_AFTER.load(Ordering::Relaxed));
    let is_long = |info: &Info| now.saturating_duration_since(info.since.instant()) >= after;
    slots::report_each(is_long, limiter, |record, limiter| {
        // Foreign code. If it panics, the panic hook has reported that, and the next permit is
        // reported all the same.
        let limiter = limiter.as_deref();
        unwind::quietly(|| {
            report!(
                &record.info,
                record.agent,
                limiter,
                Level::WARN,
                "permit has been held for long"
            );
        });
    });
    // Permits that were recorded before recording was switched off are told of all the same.
    let is_needed = recorder::is_recording() || slots::all().next().is_some();
    is_needed.then(|| now + (after / 4).clamp(LEAST, MOST))
}

/// Logs that a reported permit is back. That is good news, and no warning.
pub(super) fn report_end(info: &Info, agent: Agent, limiter: Option<&Engine>) {
    report!(info, agent, limiter, Level::INFO, "permit that had been held for long is back");
}

/// Returns the limiter of a call, unless it was dropped. The call's permits must be out: until they
/// are back, no other limiter has the index.
pub(super) fn limiter(info: &Info) -> Option<Arc<Engine>> {
    catalog::at_index(info.limiter? as usize)
}
