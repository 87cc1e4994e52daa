//! All semaphores of one runtime, and how they pass from one runtime to the next.
//!
//! # Implementation details
//!
//! A registry is a table from a limiter's index to its semaphore: append-only, so that a look-up
//! takes no lock. Registries and their semaphores are never freed. When a runtime ends its registry
//! is *retired*, and once none of its permits is out and nobody waits, the next runtime that is
//! seen takes it over. Memory is bounded by the most that lived at once, references are `&'static`,
//! and a permit that outlives its runtime still releases correctly.
//!
//! A semaphore stays where it is in its table; what passes on is the whole registry. Whoever holds
//! on to one does it by a [`Lease`], which names the *epoch* as well: odd while a runtime owns the
//! registry, even otherwise, and another one after each change.
//!
//! # Closing runtimes
//!
//! When tokio has dropped a runtime's guard task, calls may still be running on it: a poll that is
//! under way on another worker, or a thread of the blocking pool that has entered the handle. For
//! them the limit must hold as well, so they keep using the retired registry, which stays in the
//! list of the retired under the runtime's id until the next runtime takes it. That they are on a
//! closing runtime, and not on a new one with the same id, is seen by the guard that is spawned for
//! them: a closing runtime drops it inside `spawn`. Until a guard has been spawned and kept, a
//! registry is therefore not *confirmed* and found by nobody: several threads that see a runtime for
//! the first time at once are given the same registry, and each spawns a guard.

mod guard;

use crate::semaphore::{Aside, Semaphore};
use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::unwind::serve_each;
use guard::Guard;
pub(crate) use guard::is_task_waker;
use once_cell::sync::{Lazy, OnceCell};
use std::collections::HashMap;
use std::hash::Hash;
use tokio::runtime::{Handle, Id};

/// Semaphores in the first chunk; each further chunk has twice as many.
const FIRST: usize = 16;
/// Room for 2²⁸ limiters.
const CHUNKS: usize = 24;

/// All runtimes that were seen.
static RUNTIMES: Lazy<Runtimes<Id>> = Lazy::new(Runtimes::new);

/// The registry of limiters with process scope, and of calls outside any runtime.
static PROCESS: Lazy<Registry> = Lazy::new(|| Registry::new(0, LIVE));

/// The epoch of the process's registry, which never changes.
const LIVE: u64 = 1;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Registry {
    epoch: AtomicU64,
    ordinal: AtomicU64,
    chunks: [OnceCell<Box<[Semaphore]>>; CHUNKS],
}

/// A registry as it was when it was looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) registry: &'static Registry,
    epoch: u64,
}

impl Lease {
    /// Whether the registry has not passed on since.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        self.registry.epoch.load(Ordering::Acquire) == self.epoch
    }
}

impl Registry {
    fn new(ordinal: u64, epoch: u64) -> Self {
        Self {
            epoch: AtomicU64::new(epoch),
            ordinal: AtomicU64::new(ordinal),
            chunks: [const { OnceCell::new() }; CHUNKS],
        }
    }

    /// The semaphore of the limiter with that index.
    #[inline]
    pub(crate) fn semaphore(&'static self, index: usize) -> &'static Semaphore {
        let (chunk, offset) = place(index);
        match self.chunks[chunk].get() {
            Some(semaphores) => &semaphores[offset],
            None => &self.grow(chunk)[offset],
        }
    }

    /// The same, if it has been used yet.
    pub(crate) fn existing(&'static self, index: usize) -> Option<&'static Semaphore> {
        let (chunk, offset) = place(index);
        self.chunks[chunk].get().map(|semaphores| &semaphores[offset])
    }

    /// The runtime's number, in the order in which they were seen; 0 is the process. `None` if no
    /// runtime owns the registry.
    pub(crate) fn ordinal(&self) -> Option<u64> {
        let live = self.epoch.load(Ordering::Acquire) % 2 == 1;
        live.then(|| self.ordinal.load(Ordering::Relaxed))
    }

    #[cold]
    #[inline(never)]
    fn grow(&self, chunk: usize) -> &[Semaphore] {
        self.chunks[chunk].get_or_init(|| (0..FIRST << chunk).map(|_| Semaphore::new()).collect())
    }

    fn semaphores(&self) -> impl Iterator<Item = &Semaphore> {
        self.chunks.iter().filter_map(OnceCell::get).flat_map(|semaphores| semaphores.iter())
    }

    fn lease(&'static self) -> Lease {
        Lease { registry: self, epoch: self.epoch.load(Ordering::Acquire) }
    }

    /// Makes all semaphores those of nobody, if no permit is out and nobody waits.
    ///
    /// The epoch changes first: see *Memory ordering* in [`crate::semaphore`].
    fn empty(&self, left: &mut Vec<Aside>) -> bool {
        // First a look, so that whoever still uses it is not sent to look it up again.
        if !self.semaphores().all(Semaphore::is_idle) {
            return false;
        }
        self.epoch.fetch_add(2, Ordering::AcqRel);
        self.semaphores().all(|semaphore| semaphore.unbind(false, left))
    }
}

/// Chunk, and offset in it.
#[inline]
fn place(index: usize) -> (usize, usize) {
    let chunk = ((index / FIRST) + 1).ilog2() as usize;
    (chunk, index + FIRST - (FIRST << chunk))
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

/// Every registry there is, the process's first.
pub(crate) fn all() -> Vec<&'static Registry> {
    let mut registries = vec![&*PROCESS];
    registries.extend(&lock(&RUNTIMES.known).all);
    registries
}

/// The numbers of the runtimes that live, and the process's.
#[cfg(feature = "_exporters")]
pub(crate) fn live() -> std::collections::BTreeSet<u64> {
    all().into_iter().filter_map(Registry::ordinal).collect()
}

/// Which runtime has which registry.
#[derive(Debug)]
pub(crate) struct Runtimes<K> {
    known: Mutex<Known<K>>,
}

#[derive(Debug)]
struct Known<K> {
    /// And whether they are confirmed.
    live: HashMap<K, (&'static Registry, bool)>,
    /// Those whose runtime has ended and that no other has taken, in the order of their end.
    retired: Vec<(K, &'static Registry)>,
    all: Vec<&'static Registry>,
    seen: u64,
}

impl<K: Copy + Eq + Hash> Runtimes<K> {
    pub(crate) fn new() -> Self {
        let known = Known { live: HashMap::new(), retired: Vec::new(), all: Vec::new(), seen: 0 };
        Self { known: Mutex::new(known) }
    }

    /// The registry of a live runtime.
    pub(crate) fn find(&self, runtime: K) -> Option<Lease> {
        let known = lock(&self.known);
        let (registry, confirmed) = known.live.get(&runtime)?;
        confirmed.then(|| registry.lease())
    }

    /// The registry that a runtime had last, if no other has taken it.
    pub(crate) fn find_retired(&self, runtime: K) -> Option<Lease> {
        let known = lock(&self.known);
        known.retired.iter().find(|(of, _)| *of == runtime).map(|(_, registry)| registry.lease())
    }

    /// Gives a registry to a runtime, to be confirmed, if another thread has not done so meanwhile.
    pub(crate) fn open(&self, runtime: K) -> Lease {
        // Dropped after unlocking: there may be keys of the user's in it.
        let mut left = Vec::new();
        let mut known = lock(&self.known);
        if let Some((registry, _)) = known.live.get(&runtime) {
            return registry.lease();
        }
        let empty = known.retired.iter().position(|(_, registry)| registry.empty(&mut left));
        let registry = if let Some(empty) = empty {
            known.retired.remove(empty).1
        } else {
            let registry: &'static Registry = Box::leak(Box::new(Registry::new(0, 0)));
            known.all.push(registry);
            registry
        };
        known.seen += 1;
        registry.ordinal.store(known.seen, Ordering::Relaxed);
        registry.epoch.fetch_add(1, Ordering::AcqRel);
        known.live.insert(runtime, (registry, false));
        registry.lease()
    }

    /// The runtime has kept a guard: from now on others find the registry. Says whether it still is
    /// the runtime's.
    pub(crate) fn confirm(&self, runtime: K, lease: Lease) -> bool {
        let mut known = lock(&self.known);
        if !lease.holds() {
            return false;
        }
        known.live.insert(runtime, (lease.registry, true));
        true
    }

    /// The runtime has ended. Its permits that are out come back in their own time; whoever still
    /// waits is woken, to ask again at the runtime by which it is polled then.
    pub(crate) fn retire(&self, runtime: K, lease: Lease) {
        let mut known = lock(&self.known);
        if !lease.holds() {
            return;
        }
        lease.registry.epoch.fetch_add(1, Ordering::AcqRel);
        known.live.remove(&runtime);
        known.retired.push((runtime, lease.registry));
        drop(known);
        serve_each(lease.registry.semaphores(), Semaphore::dismiss_all);
    }
}
