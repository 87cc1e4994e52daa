//! Who makes a call: a task, or outside any task, a thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::task::Id;

/// The agent that makes a call. An agent does one thing after another, unless its futures run side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Agent {
    /// A task of tokio.
    Task(Id),
    /// A thread outside any task, by a number of ours: it blocks, or drives a future by `block_on`.
    Thread(u32),
    /// Nobody that is known: the permit is on its way to another task.
    Nobody,
}

/// One in this many calls of a limiter is a sample. Calls that hold no permits do not count.
const SAMPLED: u8 = 64;

/// Limiters whose indices differ by a multiple of this number share a count of calls.
const COUNTS: usize = 256;

/// The data that a thread keeps for the recorder.
pub(super) struct Local {
    /// The number of the thread, from 1 on.
    number: u32,
    /// The records that the thread has made.
    records: Cell<u64>,
    /// The index of the thread's last slot.
    pub(super) near: Cell<usize>,
    /// The calls with permits by limiter, modulo [`SAMPLED`]. Each limiter needs its own count: with a shared one, of
    /// two limiters whose calls alternate, one might never be a sample.
    calls: [Cell<u8>; COUNTS],
    /// The number of the record whose future the thread polls, 0 for none. See [`super::polling`].
    pub(super) under: Cell<u64>,
}

/// In the number of a record the thread's number stands from this bit on.
const THREAD_SHIFT: u32 = 40;

/// Threads begin this many slots apart.
pub(super) const APART: usize = 8;

thread_local! {
    static LOCAL: Local = Local::new();
}

impl Local {
    fn new() -> Self {
        static THREADS: AtomicU32 = AtomicU32::new(0);
        // Relaxed: only the numbers matter.
        let before = THREADS.fetch_add(1, Ordering::Relaxed);
        Self {
            number: before.wrapping_add(1),
            records: Cell::new(0),
            near: Cell::new((before as usize).wrapping_mul(APART)),
            calls: [const { Cell::new(0) }; COUNTS],
            under: Cell::new(0),
        }
    }

    /// Reads the thread's own data. Returns `None` while they are dropped.
    #[inline]
    pub(super) fn with<T>(read: impl FnOnce(&Self) -> T) -> Option<T> {
        LOCAL.try_with(read).ok()
    }

    /// Returns a number for a new record. No other record has it, but those of a thread that ended 2²⁴ threads ago.
    #[inline]
    pub(super) fn next_record(&self) -> u64 {
        let records = self.records.get();
        self.records.set(records + 1);
        (u64::from(self.number) << THREAD_SHIFT).wrapping_add(records)
    }

    /// Returns whether the next call with permits is a sample, whose hold time is counted: a limiter's first call on
    /// the thread is, and then one in [`SAMPLED`].
    #[inline]
    pub(super) fn is_sample(&self, limiter: Option<u32>) -> bool {
        let count = &self.calls[limiter.unwrap_or(0) as usize % COUNTS];
        count.replace((count.get() + 1) % SAMPLED) == 0
    }
}

/// Returns whether the records of these numbers are of one thread, which has made the first one later.
pub(super) fn is_later_of_thread(id: u64, other: u64) -> bool {
    id >> THREAD_SHIFT == other >> THREAD_SHIFT && id > other
}

impl Agent {
    /// Returns who runs here and now.
    #[inline]
    pub(crate) fn current() -> Self {
        match tokio::task::try_id() {
            Some(task) => Self::Task(task),
            None => Local::with(|local| Self::Thread(local.number)).unwrap_or(Self::Nobody),
        }
    }

    pub(crate) fn task(self) -> Option<Id> {
        match self {
            Self::Task(task) => Some(task),
            Self::Thread(_) | Self::Nobody => None,
        }
    }
}
