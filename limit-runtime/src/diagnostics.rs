//! Who holds permits and who waits for them, with place, task and age.
//!
//! ```
//! use limit_runtime::Limiter;
//! use limit_runtime::diagnostics;
//!
//! static DB: Limiter = Limiter::new("diagnostics-example", 2);
//!
//! diagnostics::record(true); // as it is in debug builds
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
//! The feature `diagnostics` alone records nothing in a release build. It does in one with debug
//! assertions, so that an application that has the feature on pays for it while it is developed; in
//! others from [`record(true)`](record) on. Calls that were admitted while it was off are not seen.
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
//! looks for such every so often; it is started with the first call that is recorded.
//!
//! # Places
//!
//! A call's place is where it was made: `acquire()`, `try_acquire()`, `run(…)` and so on, or the
//! attribute of an annotated function (which stands for all its callers).

mod calls;
mod slots;
mod wall;
mod watch;

use crate::limiter::{Core, Entry, entry};
use crate::semaphore::Semaphore;
use crate::unwind::run_all_then_resume_panic;
pub use calls::Call;
#[cfg(feature = "console")]
pub(crate) use calls::calls;
use slots::{Info, Slot};
use std::cell::Cell;
#[cfg(feature = "_exporters")]
use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
#[cfg(feature = "_exporters")]
use std::time::SystemTime;
use std::time::{Duration, Instant};
#[cfg(feature = "_exporters")]
use wall::Wall;

/// Relaxed: it is about nothing but itself.
static RECORDING: AtomicBool = AtomicBool::new(cfg!(debug_assertions));

/// In nanoseconds.
static WARN_AFTER: AtomicU64 = AtomicU64::new(30_000_000_000);

/// Of so many calls of a limiter that held permits, one is counted with how long it did.
const SAMPLED: u8 = 64;

/// Whether calls are recorded from now on. At the start: in builds with debug assertions.
pub fn record(on: bool) {
    RECORDING.store(on, Ordering::Relaxed);
}

/// After how long a permit that is held is told of in the log. [`Duration::MAX`]: never.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// limit_runtime::diagnostics::warn_after(Duration::from_secs(5));
/// ```
pub fn warn_after(age: Duration) {
    let nanoseconds = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    WARN_AFTER.store(nanoseconds, Ordering::Relaxed);
    watch::look_again();
}

pub(crate) fn is_recording() -> bool {
    RECORDING.load(Ordering::Relaxed)
}

/// Where a call is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site(&'static Location<'static>);

impl Site {
    #[track_caller]
    #[inline]
    pub(crate) const fn caller() -> Self {
        Self(Location::caller())
    }
}

/// That a call waits or holds its permits is recorded, until this is dropped.
#[derive(Debug)]
pub(crate) struct Record(Option<&'static Slot>);

impl Record {
    pub(crate) const NONE: Self = Self(None);

    /// A call has its permits.
    #[inline]
    pub(crate) fn holds(
        limiter: &Core,
        semaphore: &'static Semaphore,
        weight: u32,
        site: Site,
    ) -> Self {
        if is_recording() { Self::new(limiter, semaphore, weight, site, true) } else { Self::NONE }
    }

    /// A call waits.
    #[inline]
    pub(crate) fn waits(
        limiter: &Core,
        semaphore: &'static Semaphore,
        weight: u32,
        site: Site,
    ) -> Self {
        if is_recording() { Self::new(limiter, semaphore, weight, site, false) } else { Self::NONE }
    }

    #[inline(never)]
    fn new(
        limiter: &Core,
        semaphore: &'static Semaphore,
        weight: u32,
        site: Site,
        holds: bool,
    ) -> Self {
        // Who takes no permits holds none.
        if holds && weight == 0 {
            return Self::NONE;
        }
        watch::start();
        let task = tokio::task::try_id();
        let since = Instant::now();
        let limiter = limiter.index();
        let (site, is_told) = (site.0, false);
        Self(slots::take(Info { limiter, semaphore, site, task, since, weight, holds, is_told }))
    }

    /// It still waits, and has since it began, but at another semaphore.
    pub(crate) fn waits_at(&mut self, semaphore: &'static Semaphore) -> bool {
        self.0.is_some_and(|slot| slots::change(slot, |info| Info { semaphore, ..info }))
    }

    /// The call that waited has its permits.
    #[inline]
    pub(crate) fn admitted(
        &mut self,
        limiter: &Core,
        semaphore: &'static Semaphore,
        weight: u32,
        site: Site,
    ) {
        *self = Self::NONE;
        *self = Self::holds(limiter, semaphore, weight, site);
    }

    /// It ends: before the permit is given back, so that it is not seen beside the next holder's. What
    /// is to be said of it is to be said after that.
    #[inline]
    pub(crate) fn end(&mut self) -> Ended {
        Ended(self.0.take().and_then(end))
    }
}

/// What is to be said of a holder when its permits are back, if anything. Whoever listens is foreign
/// code: it may panic, take its time, or ask for a permit of the same limiter.
///
/// It is said when this is dropped.
#[must_use = "it is said when this is dropped"]
pub(crate) struct Ended(Option<Held>);

struct Held {
    info: Info,
    limiter: Option<Arc<Entry>>,
    is_sample: bool,
    time: Duration,
}

impl Drop for Ended {
    #[inline]
    fn drop(&mut self) {
        if let Some(held) = self.0.take() {
            // Caught, if the thread is unwinding already.
            run_all_then_resume_panic([held], Held::tell);
        }
    }
}

impl Held {
    #[cold]
    fn tell(self) {
        // First what is counted, in case the log panics.
        if let Some(limiter) = self.limiter.as_ref().filter(|_| self.is_sample) {
            limiter.record_hold(self.time);
        }
        if self.info.is_told {
            watch::tell_end(&self.info, self.limiter.as_deref());
        }
    }
}

#[inline(never)]
fn end(slot: &'static Slot) -> Option<Held> {
    let info = slots::give_back(slot)?;
    let is_sample = info.holds && is_sample(info.limiter);
    if !info.is_told && !is_sample {
        return None;
    }
    // While the permit is out: see there.
    let limiter = info.limiter();
    Some(Held { info, limiter, is_sample, time: info.since.elapsed() })
}

/// Whether this call is one of which it is counted for how long it held its permits: of each thread's
/// calls of a limiter the first, and then every so many. Were all limiters' calls counted together, of two
/// limiters whose calls alternate one might never be counted.
fn is_sample(limiter: Option<u32>) -> bool {
    /// Limiters as far from each other as this share a count.
    const COUNTS: usize = 256;
    thread_local! {
        static CALLS: [Cell<u8>; COUNTS] = const { [const { Cell::new(0) }; COUNTS] };
    }
    let place = limiter.unwrap_or(0) as usize % COUNTS;
    // Not to be had while the thread's locals are dropped.
    let call = CALLS.try_with(|calls| calls[place].replace((calls[place].get() + 1) % SAMPLED));
    call.is_ok_and(|call| call == 0)
}

impl Drop for Record {
    #[inline]
    fn drop(&mut self) {
        // Of those who wait, and of permits that there never were, there is nothing to tell.
        std::mem::forget(self.end());
    }
}

impl Info {
    /// Whose it is, unless that has been dropped. To be asked while its permits are out: until they are
    /// back, no other limiter has its index.
    fn limiter(&self) -> Option<Arc<Entry>> {
        entry(self.limiter? as usize)
    }
}

/// Since when permits have been held: of each semaphore, the oldest.
#[cfg(feature = "_exporters")]
pub(crate) struct OldestHolders {
    since: HashMap<usize, Instant>,
    wall: Wall,
}

#[cfg(feature = "_exporters")]
impl OldestHolders {
    /// At this moment. Limiters that are found later may be in the place of others that held these.
    pub(crate) fn now() -> Self {
        let mut oldest = HashMap::new();
        for info in slots::all().filter(|info| info.holds) {
            let since = oldest.entry(address(info.semaphore)).or_insert(info.since);
            *since = info.since.min(*since);
        }
        Self { since: oldest, wall: Wall::now() }
    }

    /// When the oldest holder of a limiter got its permits, in seconds since 1970.
    pub(crate) fn of(&self, entry: &Entry) -> Option<f64> {
        if self.since.is_empty() {
            return None;
        }
        let semaphores = entry.semaphores().into_iter();
        let since = semaphores.filter_map(|semaphore| self.since.get(&address(semaphore))).min()?;
        Some(self.wall.of(*since).duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64())
    }
}

#[cfg(feature = "_exporters")]
fn address(semaphore: &Semaphore) -> usize {
    std::ptr::from_ref(semaphore).addr()
}
