//! All semaphores of one runtime, and how they pass from one runtime to the next.
//!
//! # Implementation details
//!
//! A registry is a table from a limiter's index to its semaphore: append-only, so that a look-up
//! takes no lock. Registries and their semaphores are never freed. When a runtime ends its registry
//! is *retired*, and the next runtime that is seen takes it over. Memory is bounded by the most that
//! lived at once, references are `&'static`, and a permit that outlives its runtime still releases
//! correctly.
//!
//! A semaphore stays where it is in its table; what passes on is the whole registry. Whoever holds
//! on to one does it by a [`EpochRef`], which names the *epoch* as well: odd while a runtime owns the
//! registry, even otherwise, and another one after each change.
//!
//! # Semaphores that are still in use
//!
//! A registry passes on as soon as none of its permits is out and nobody waits. A permit may stay out
//! for long, or for ever if it is forgotten. If some are out when [`PATIENCE`] more runtimes have been
//! seen, the registry passes on without the semaphores that they belong to: those are *detached*, and
//! a *substitute* takes the place of each. So a permit that is forgotten costs one semaphore.
//!
//! A detached semaphore still is the ended runtime's: a call on that which comes late finds it. It is
//! looked at now and then. When it is idle its place may be its own again, or if it was a substitute
//! itself, it may take another's. Which places have substitutes changes only when a registry passes
//! on. So a lease says whether there are any ([`SUBSTITUTED`]), and nobody else looks for them.
//!
//! For each runtime that begins, a fixed number of registries and of detached semaphores is looked at.
//!
//! # Closing runtimes
//!
//! When tokio has dropped a runtime's guard task, calls may still be running on it: a poll that is
//! under way on another worker, or a thread of the blocking pool that has entered the handle. For
//! them the limit must hold as well, so they keep using the retired registry, which stays in the
//! list of the retired under the runtime's id until the next runtime takes it. If semaphores were
//! detached from that, they are attached to the retired registry that the runtime is given next. That
//! they are on a closing runtime, and not on a new one with the same id, is seen by the guard that is
//! spawned for them: a closing runtime drops it inside `spawn`. Until a guard has been spawned and
//! kept, a registry is therefore not *confirmed* and found by nobody: several threads that see a
//! runtime for the first time at once are given the same registry, and each spawns a guard.

mod epoch;
mod guard;
mod runtimes;
mod substitutes;
mod table;

pub(crate) use epoch::EpochRef;
use epoch::{LIVE, Registry};
use guard::Guard;
pub(crate) use guard::is_task_waker;
use once_cell::sync::Lazy;
pub(crate) use runtimes::{Runtimes, Seat};
use tokio::runtime::{Handle, Id};

/// All runtimes that were seen.
static RUNTIMES: Lazy<Runtimes<Id>> = Lazy::new(|| Runtimes::new(PATIENCE));

/// The registry of limiters with process scope, and of calls outside any runtime.
static PROCESS: Lazy<Registry> = Lazy::new(|| Registry::new(RUNTIMES.numbered(), LIVE));

/// The number of runtimes for which a retired registry that is in use waits. As many registries and
/// detached semaphores are looked at for each.
const PATIENCE: usize = 8;

/// The process's own registry.
pub(crate) fn process() -> EpochRef {
    PROCESS.now()
}

/// The registry of a runtime. At first sight of it, takes one and spawns its guard.
#[cold]
#[inline(never)]
pub(crate) fn of_runtime(handle: &Handle) -> EpochRef {
    let id = handle.id();
    loop {
        if let Some(lease) = RUNTIMES.find(id) {
            return lease;
        }
        let lease = RUNTIMES.open(id);
        // Not under a lock: a closing runtime drops the guard inside `spawn`.
        handle.spawn(Guard::new(&RUNTIMES, id, lease));
        if RUNTIMES.confirm(id, lease) {
            return lease;
        }
        if let Some(lease) = RUNTIMES.find_retired(id) {
            return lease;
        }
    }
}

/// All semaphores of the limiter with that index, the process's first.
pub(crate) fn seats(index: usize) -> Vec<Seat> {
    RUNTIMES.seats(&PROCESS, index)
}

/// The number of the runtime that has a semaphore at this moment, if that runtime lives; 0 is the process.
pub(crate) fn runtime_of(seat: &Seat) -> Option<u64> {
    RUNTIMES.runtime_of(seat)
}

/// The numbers of the runtimes that live, and the process's.
pub(crate) fn live() -> std::collections::BTreeSet<u64> {
    RUNTIMES.all().into_iter().chain([&*PROCESS]).filter_map(Registry::ordinal).collect()
}
