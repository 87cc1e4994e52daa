//! All semaphores of one runtime by limiter, and the epoch that says whether the runtime still owns
//! them.

use super::table::Table;
use crate::semaphore::Semaphore;
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use once_cell::sync::OnceCell;

/// The epoch of the process's registry. It never changes.
pub(super) const LIVE: u64 = 1;

/// A bit of the epoch: the registry has a substitute at some position.
pub(super) const SUBSTITUTED: u64 = 1 << 63;

/// Semaphores by number. Look-ups take no lock.
pub(super) type Numbered = Table<OnceCell<&'static Semaphore>>;

/// The semaphores of one runtime. See the documentation of the module `registry`.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(super) epoch: AtomicU64,
    pub(super) ordinal: AtomicU64,
    pub(super) own: Table<Semaphore>,
    occupancies: OnceCell<Box<Table<Occupancy>>>,
    numbered: &'static Numbered,
}

/// The numbers of the semaphores at one position. They change under the lock of the list of
/// runtimes.
#[derive(Debug)]
pub(super) struct Occupancy {
    /// The substitute's number, plus one; 0 if there is none.
    pub(super) substitute: AtomicU32,
    /// The number of the position's own semaphore, plus one; 0 if it has none.
    pub(super) own: AtomicU32,
}

/// A registry together with its epoch at the time of a look-up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EpochRef {
    pub(super) registry: &'static Registry,
    epoch: u64,
}

impl EpochRef {
    /// Returns whether the registry has not passed on since the look-up.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        // `Acquire` pairs with the change of the epoch, which comes before the semaphores are
        // unbound.
        self.registry.epoch.load(Ordering::Acquire) == self.epoch
    }

    /// Returns the semaphore of the limiter with this index.
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
    pub(super) fn new(numbered: &'static Numbered, epoch: u64) -> Self {
        Self {
            epoch: AtomicU64::new(epoch),
            ordinal: AtomicU64::new(0),
            own: Table::new(),
            occupancies: OnceCell::new(),
            numbered,
        }
    }

    /// Returns the semaphore that was made for a limiter's position.
    #[inline]
    pub(super) fn own(&'static self, index: usize) -> &'static Semaphore {
        self.own.get_or_make(index, Semaphore::new)
    }

    /// Returns the semaphore that is at a limiter's position: its own or a substitute.
    #[cold]
    pub(super) fn current(&'static self, index: usize) -> &'static Semaphore {
        let number = self.occupancies.get().and_then(|occupancies| {
            // `Acquire`: a caller that sees the substitute also sees the epoch that was changed
            // before.
            occupancies.get(index)?.substitute.load(Ordering::Acquire).checked_sub(1)
        });
        let substitute = number.and_then(|number| self.numbered.get(number as usize)?.get());
        substitute.copied().unwrap_or_else(|| self.own(index))
    }

    /// Returns the runtime's number, in the order in which runtimes were seen; 0 is the process.
    /// Returns `None` if no runtime owns the registry.
    pub(super) fn ordinal(&self) -> Option<u64> {
        let live = self.epoch.load(Ordering::Acquire) % 2 == 1;
        // Relaxed: `open` stores the number before the epoch becomes odd, which the load above has
        // seen.
        live.then(|| self.ordinal.load(Ordering::Relaxed))
    }

    pub(super) fn has_substitutes(&self) -> bool {
        self.epoch.load(Ordering::Acquire) & SUBSTITUTED != 0
    }

    /// Returns the semaphores at all positions, with the limiters' indices.
    pub(super) fn semaphores(&'static self) -> impl Iterator<Item = (usize, &'static Semaphore)> {
        let has_substitutes = self.has_substitutes();
        self.own.iter().map(move |(index, own)| {
            (index, if has_substitutes { self.current(index) } else { own })
        })
    }

    pub(super) fn now(&'static self) -> EpochRef {
        EpochRef { registry: self, epoch: self.epoch.load(Ordering::Acquire) }
    }

    pub(super) fn occupancy(&self, index: usize) -> &Occupancy {
        let occupancies = self.occupancies.get_or_init(|| Box::new(Table::new()));
        let none = || Occupancy { substitute: AtomicU32::new(0), own: AtomicU32::new(0) };
        occupancies.get_or_make(index, none)
    }
}
