//! The counts of the whole process: calls, and faults of the library.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// More permits were out than the limit allows.
    OverTheCap,
    /// A call, a task or a check did not end although nothing was in its way.
    Hang,
    /// A permit, a place in a queue, a key or a figure was lost.
    Lost,
    /// A panic that no scenario has provoked.
    Panic,
    /// Memory grew.
    Memory,
}

impl Fault {
    pub(crate) const ALL: [Self; 5] =
        [Self::OverTheCap, Self::Hang, Self::Lost, Self::Panic, Self::Memory];

    /// Returns how often this fault was found.
    pub(crate) fn count(self) -> u64 {
        FAULTS[self as usize].load(Relaxed)
    }

    fn name(self) -> &'static str {
        match self {
            Self::OverTheCap => "OVER THE CAP",
            Self::Hang => "HANG",
            Self::Lost => "LOST",
            Self::Panic => "PANIC",
            Self::Memory => "MEMORY",
        }
    }
}

/// The number of faults of one kind that are printed. Further ones are only counted.
const PRINTED: u64 = 5;

static FAULTS: [AtomicU64; Fault::ALL.len()] = [const { AtomicU64::new(0) }; Fault::ALL.len()];
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Counts a fault, and prints it if few of its kind came before.
pub(crate) fn fault(fault: Fault, what: &str) {
    if FAULTS[fault as usize].fetch_add(1, Relaxed) < PRINTED {
        eprintln!("{}: {what}", fault.name());
    }
}

/// Returns how many faults were found.
pub(crate) fn faults() -> u64 {
    Fault::ALL.into_iter().map(Fault::count).sum()
}

/// Counts a call that has ended, in whichever way.
pub(crate) fn count_call() {
    CALLS.fetch_add(1, Relaxed);
}

/// Returns how many calls have ended.
pub(crate) fn calls() -> u64 {
    CALLS.load(Relaxed)
}
