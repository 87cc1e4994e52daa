//! All semaphores of one runtime, and how they pass from one runtime to the next.
//!
//! # Implementation details
//!
//! A registry is a table from a limiter's index to its semaphore. The table only grows, so a
//! look-up takes no lock. Registries and their semaphores are never freed. When a runtime ends, its
//! registry is *retired*, and the next new runtime takes the registry over. So memory is bounded by
//! the number of runtimes that live at one time. References are `&'static`, and a permit can be
//! given back after its runtime has ended.
//!
//! A semaphore stays at its position in the table: registries pass on as a whole. A caller refers
//! to a registry by an [`EpochRef`], which contains the *epoch* as well. The epoch is odd while a
//! runtime owns the registry, and even otherwise. Each change of the owner changes it.
//!
//! # Semaphores that are still in use
//!
//! A registry passes on when none of its permits is out and no call waits. But a holder may keep a
//! permit for long, or for ever. When [`PATIENCE`] more runtimes have been seen, the registry
//! passes on without the semaphores of such permits. Those are *detached*, and a *substitute* takes
//! the position of each. So a forgotten permit costs one semaphore.
//!
//! A detached semaphore still belongs to the ended runtime: a late call on that runtime finds it.
//! Detached semaphores are looked at now and then. An idle one is free: it may return to its own
//! position, or, if it was made as a substitute, may take another position. Substitutes change only
//! when a registry passes on. So an epoch says whether there are any ([`SUBSTITUTED`]), and only
//! then does a look-up search for them.
//!
//! Each new runtime causes a look at a fixed number of registries and of detached semaphores.
//!
//! # Closing runtimes
//!
//! When tokio drops a runtime's guard task, calls may still run on that runtime: in a poll on
//! another worker, or on a thread of the blocking pool that has entered the handle. The limit must
//! hold for these calls too. So they use the retired registry, which is listed under the runtime's
//! id until the next runtime takes it. If semaphores were detached from it by then, they move to
//! the retired registry that the ended runtime is given next.
//!
//! A call on a closing runtime must be told apart from a call on a new runtime with the same id.
//! The guard that is spawned for the call shows it: a closing runtime drops the guard inside
//! `spawn`. So a registry is not *confirmed*, and no look-up finds it, until a guard has been
//! spawned and kept. Several threads that see a runtime for the first time are given the same
//! registry, and each spawns a guard.

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
pub(crate) use runtimes::{LimiterSemaphore, Runtimes};
use tokio::runtime::{Handle, Id};

/// All runtimes that have been seen.
static RUNTIMES: Lazy<Runtimes<Id>> = Lazy::new(|| Runtimes::new(PATIENCE));

/// The registry of limiters with process scope, and of calls outside any runtime.
static PROCESS: Lazy<Registry> = Lazy::new(|| Registry::new(RUNTIMES.numbered(), LIVE));

/// The number of new runtimes for which a retired registry in use waits. Each new runtime causes a
/// look at this many registries and detached semaphores.
const PATIENCE: usize = 8;

/// Returns the process's registry.
pub(crate) fn process() -> EpochRef {
    PROCESS.now()
}

/// Returns the registry of a runtime. If the runtime is new, takes a registry for it and spawns its
/// guard.
#[cold]
#[inline(never)]
pub(crate) fn find_or_open(handle: &Handle) -> EpochRef {
    let id = handle.id();
    loop {
        if let Some(epoch) = RUNTIMES.find(id) {
            return epoch;
        }
        let epoch = RUNTIMES.open(id);
        // Spawned under no lock: a closing runtime drops the guard inside `spawn`, and the drop
        // takes a lock.
        handle.spawn(Guard { runtimes: &RUNTIMES, runtime: id, epoch });
        // The order matters: only a guard that `spawn` has kept may make the registry known to
        // others.
        if RUNTIMES.confirm(id, epoch) {
            return epoch;
        }
        // The runtime is closing: its last registry still holds its permits.
        if let Some(epoch) = RUNTIMES.find_retired(id) {
            return epoch;
        }
    }
}

/// Returns all semaphores of the limiter with this index, the process's first.
pub(crate) fn semaphores(index: usize) -> Vec<LimiterSemaphore> {
    RUNTIMES.semaphores(&PROCESS, index)
}

/// Returns the number of the live runtime that has a semaphore at this moment; 0 is the process.
/// Returns `None` if no live runtime has it.
pub(crate) fn find_runtime(semaphore: &LimiterSemaphore) -> Option<u64> {
    RUNTIMES.find_runtime(semaphore)
}

/// Returns the numbers of the live runtimes, and 0 for the process.
#[cfg(feature = "inspect")]
pub(crate) fn live_runtimes() -> std::collections::BTreeSet<u64> {
    RUNTIMES.all().into_iter().chain([&*PROCESS]).filter_map(Registry::ordinal).collect()
}
