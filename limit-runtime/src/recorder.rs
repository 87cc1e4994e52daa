//! Records of the calls that hold permits or wait for them: where each was made, by which task, since when.
//!
//! A record names a limiter and a semaphore by their numbers: nothing is known here of limiters. The module
//! `diagnostics` reads the records, and turns the numbers into names.

pub(crate) mod slots;

use crate::unwind::run_all_then_resume_panic;
use once_cell::sync::OnceCell;
use slots::{Info, Slot};
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Whether calls are recorded. Relaxed: it is about nothing but itself.
static RECORDING: AtomicBool = AtomicBool::new(false);

/// Tells about a call that ends and is a sample or was warned of. See [`on_end`].
static ON_END: OnceCell<OnEnd> = OnceCell::new();

/// Gets a call that ends, and whether it is a sample, while its permits are still out: until they are back,
/// no other limiter has its number. Gives what is to be done when they are.
pub(crate) type OnEnd = fn(Info, bool) -> Box<dyn FnOnce()>;

/// Of so many calls of a limiter that held permits, one is a sample.
const SAMPLED: u8 = 64;

/// Switches recording on or off, from now on.
pub(crate) fn record(on: bool) {
    RECORDING.store(on, Ordering::Relaxed);
}

pub(crate) fn is_recording() -> bool {
    RECORDING.load(Ordering::Relaxed)
}

/// Has calls that end told of, if this was not done before.
pub(crate) fn on_end(hook: OnEnd) {
    ON_END.get_or_init(|| hook);
}

/// The place in the source code where a call is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSite(&'static Location<'static>);

impl CallSite {
    #[track_caller]
    #[inline]
    pub(crate) const fn caller() -> Self {
        Self(Location::caller())
    }
}

/// The record of a call that waits or holds its permits, until this is dropped.
#[derive(Debug)]
pub(crate) struct CallRecord(Option<&'static Slot>);

impl CallRecord {
    pub(crate) const NONE: Self = Self(None);

    /// Records that a call has its permits, of the semaphore with that number.
    #[inline]
    pub(crate) fn holds(
        limiter: impl FnOnce() -> Option<u32>,
        semaphore: usize,
        weight: u32,
        site: CallSite,
    ) -> Self {
        // A call that takes no permits holds none.
        if is_recording() && weight > 0 {
            Self::new(limiter(), semaphore, weight, site, true)
        } else {
            Self::NONE
        }
    }

    /// Records that a call waits.
    #[inline]
    pub(crate) fn waits(
        limiter: impl FnOnce() -> Option<u32>,
        semaphore: usize,
        weight: u32,
        site: CallSite,
    ) -> Self {
        if is_recording() {
            Self::new(limiter(), semaphore, weight, site, false)
        } else {
            Self::NONE
        }
    }

    #[inline(never)]
    fn new(
        limiter: Option<u32>,
        semaphore: usize,
        weight: u32,
        site: CallSite,
        holds: bool,
    ) -> Self {
        let task = tokio::task::try_id();
        let since = Instant::now();
        let (site, is_told) = (site.0, false);
        Self(slots::take(Info { limiter, semaphore, site, task, since, weight, holds, is_told }))
    }

    /// Notes that the call waits at another semaphore, still since it began. Returns whether it is recorded.
    #[inline]
    pub(crate) fn waits_at(&mut self, semaphore: usize) -> bool {
        self.0.is_some_and(|slot| slots::change(slot, |info| Info { semaphore, ..info }))
    }

    /// Records a part of the permits on its own: held since the call has them.
    pub(crate) fn split(&mut self, weight: u32) -> Self {
        let part = self.0.and_then(|slot| slots::split(slot, weight));
        Self(part.and_then(slots::take))
    }

    /// Adds the permits of another record, which ends.
    pub(crate) fn merge(&mut self, mut other: Self, weight: u32) {
        if let Some(slot) = self.0 {
            slots::change(slot, |info| Info { weight: info.weight.saturating_add(weight), ..info });
        }
        // It has not ended for those who count how long permits are held.
        std::mem::forget(other.end());
    }

    /// Ends the record, before the permit is given back: so the call is not seen beside the next holder. What
    /// comes back tells about the call, when it is dropped.
    #[inline]
    pub(crate) fn end(&mut self) -> Ended {
        Ended(self.0.take().and_then(end))
    }
}

impl Drop for CallRecord {
    #[inline]
    fn drop(&mut self) {
        // There is nothing to tell of calls that waited, and of permits that there never were.
        std::mem::forget(self.end());
    }
}

/// Tells about a call that has ended, when it is dropped: after its permits are back. It calls foreign code,
/// which may panic, take its time, or ask for a permit of the same limiter.
#[must_use = "it tells when it is dropped"]
pub(crate) struct Ended(Option<Box<dyn FnOnce()>>);

impl Drop for Ended {
    #[inline]
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            // A panic ends here if the thread is unwinding already.
            run_all_then_resume_panic([tell], |tell| tell());
        }
    }
}

#[inline(never)]
fn end(slot: &'static Slot) -> Option<Box<dyn FnOnce()>> {
    let info = slots::give_back(slot)?;
    let is_sample = info.holds && is_sample(info.limiter);
    if !info.is_told && !is_sample {
        return None;
    }
    ON_END.get().map(|on_end| on_end(info, is_sample))
}

/// Chooses the calls whose hold time is counted: of each thread's calls of a limiter the first, and then one in
/// [`SAMPLED`]. Were all limiters' calls counted together, of two limiters whose calls alternate one might
/// never be counted.
fn is_sample(limiter: Option<u32>) -> bool {
    /// Limiters as far from each other as this share a count.
    const COUNTS: usize = 256;
    thread_local! {
        static CALLS: [Cell<u8>; COUNTS] = const { [const { Cell::new(0) }; COUNTS] };
    }
    let index = limiter.unwrap_or(0) as usize % COUNTS;
    // `try_with` fails while the thread's locals are dropped.
    let call = CALLS.try_with(|calls| calls[index].replace((calls[index].get() + 1) % SAMPLED));
    call.is_ok_and(|call| call == 0)
}
