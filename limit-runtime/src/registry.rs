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
//! on to one does it by a [`Lease`], which names the *epoch* as well: odd while a runtime owns the
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

mod guard;
mod runtimes;
mod substitutes;
mod table;

use crate::semaphore::Semaphore;
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use guard::Guard;
pub(crate) use guard::is_task_waker;
use once_cell::sync::{Lazy, OnceCell};
pub(crate) use runtimes::Runtimes;
use substitutes::Numbered;
use table::Table;
use tokio::runtime::{Handle, Id};

/// All runtimes that were seen.
static RUNTIMES: Lazy<Runtimes<Id>> = Lazy::new(|| Runtimes::new(PATIENCE));

/// The registry of limiters with process scope, and of calls outside any runtime.
static PROCESS: Lazy<Registry> = Lazy::new(|| Registry::new(RUNTIMES.numbered(), LIVE));

/// The epoch of the process's registry, which never changes.
const LIVE: u64 = 1;

/// Part of an epoch: some places of the registry have substitutes.
const SUBSTITUTED: u64 = 1 << 63;

/// A retired registry that is in use waits for so many runtimes. So many registries and detached
/// semaphores are looked at for each.
const PATIENCE: usize = 8;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Registry {
    epoch: AtomicU64,
    ordinal: AtomicU64,
    own: Table<Semaphore>,
    places: OnceCell<Box<Table<Place>>>,
    numbered: &'static Numbered,
}

/// Who is in the place of a limiter. Changed under the lock of the list of runtimes.
#[derive(Debug)]
struct Place {
    /// The substitute's number, plus one; 0 if there is none.
    substitute: AtomicU32,
    /// The number of the semaphore whose place it is, plus one; 0 if it has none.
    own: AtomicU32,
}

/// A registry as it was when it was looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    registry: &'static Registry,
    epoch: u64,
}

impl Lease {
    /// Whether the registry has not passed on since.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        self.registry.epoch.load(Ordering::Acquire) == self.epoch
    }

    /// The semaphore of the limiter with that index.
    #[inline]
    pub(crate) fn semaphore(&self, index: usize) -> &'static Semaphore {
        if self.epoch & SUBSTITUTED == 0 {
            self.registry.own(index)
        } else {
            self.registry.current(index)
        }
    }
}

impl Registry {
    fn new(numbered: &'static Numbered, epoch: u64) -> Self {
        Self {
            epoch: AtomicU64::new(epoch),
            ordinal: AtomicU64::new(0),
            own: Table::new(),
            places: OnceCell::new(),
            numbered,
        }
    }

    /// The semaphore that was made for a limiter's place.
    #[inline]
    fn own(&'static self, index: usize) -> &'static Semaphore {
        self.own.get_or_make(index, Semaphore::new)
    }

    /// The semaphore that is in a limiter's place.
    #[cold]
    fn current(&'static self, index: usize) -> &'static Semaphore {
        let number = self.places.get().and_then(|places| {
            // Acquire: whoever finds a substitute finds the epoch changed that was before it.
            places.get(index)?.substitute.load(Ordering::Acquire).checked_sub(1)
        });
        let substitute = number.and_then(|number| self.numbered.get(number as usize)?.get());
        substitute.copied().unwrap_or_else(|| self.own(index))
    }

    /// The runtime's number, in the order in which they were seen; 0 is the process. `None` if no
    /// runtime owns the registry.
    fn ordinal(&self) -> Option<u64> {
        let live = self.epoch.load(Ordering::Acquire) % 2 == 1;
        live.then(|| self.ordinal.load(Ordering::Relaxed))
    }

    fn has_substitutes(&self) -> bool {
        self.epoch.load(Ordering::Acquire) & SUBSTITUTED != 0
    }

    /// Those that are in the limiters' places, with the limiters' indices.
    fn semaphores(&'static self) -> impl Iterator<Item = (usize, &'static Semaphore)> {
        let has_substitutes = self.has_substitutes();
        self.own.iter().map(move |(index, own)| {
            (index, if has_substitutes { self.current(index) } else { own })
        })
    }

    fn lease(&'static self) -> Lease {
        Lease { registry: self, epoch: self.epoch.load(Ordering::Acquire) }
    }

    fn place(&self, index: usize) -> &Place {
        let places = self.places.get_or_init(|| Box::new(Table::new()));
        let none = || Place { substitute: AtomicU32::new(0), own: AtomicU32::new(0) };
        places.get_or_make(index, none)
    }
}

/// A semaphore of a limiter, wherever it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    index: usize,
    pub(crate) semaphore: &'static Semaphore,
    made: MadeFor,
}

/// What a semaphore was made for.
#[derive(Clone, Copy, Debug)]
enum MadeFor {
    /// Its own place in a registry.
    Place(&'static Registry),
    /// To be a substitute of that number.
    Places(u32),
}

impl Seat {
    /// The number of the runtime that it belongs to at this moment, if that lives; 0 is the process.
    pub(crate) fn runtime(&self) -> Option<u64> {
        match self.made {
            MadeFor::Place(registry) => {
                let ordinal = registry.ordinal();
                let is_there = || std::ptr::eq(registry.current(self.index), self.semaphore);
                ordinal.filter(|_| !registry.has_substitutes() || is_there())
            }
            MadeFor::Places(number) => RUNTIMES.at(number)?.ordinal(),
        }
    }
}

/// The process's own registry.
pub(crate) fn process() -> Lease {
    Lease { registry: &PROCESS, epoch: LIVE }
}

/// The registry of a runtime. At first sight of it, takes one and spawns its guard.
#[cold]
#[inline(never)]
pub(crate) fn of_runtime(handle: &Handle) -> Lease {
    let id = handle.id();
    loop {
        if let Some(lease) = RUNTIMES.find(id) {
            return lease;
        }
        let lease = RUNTIMES.open(id);
        // Not under a lock: a closing runtime drops the guard inside `spawn`.
        handle.spawn(Guard::new(id, lease));
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

/// The numbers of the runtimes that live, and the process's.
#[cfg(feature = "_exporters")]
pub(crate) fn live() -> std::collections::BTreeSet<u64> {
    RUNTIMES.all().into_iter().chain([&*PROCESS]).filter_map(Registry::ordinal).collect()
}
