//! Slots for recorded calls. Taking one and giving it back needs no lock that all calls share.
//!
//! The thread that has set `taken` owns the slot. A thread first tries the slots near its last one,
//! so that threads rarely try the same slots. Chunks of slots are made when they are needed, each
//! twice as large as the one before. They are never freed.
//!
//! A slot's content is written and read as a whole (`AtomicCell`). So a reader sees a complete call
//! or none.

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use once_cell::sync::OnceCell;
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::task::Id;

/// The data of a recorded call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info {
    /// The limiter's index.
    pub(crate) limiter: Option<u32>,
    /// The semaphore's number.
    pub(crate) semaphore: usize,
    pub(crate) site: &'static Location<'static>,
    pub(crate) task: Option<Id>,
    pub(crate) since: Instant,
    pub(crate) weight: u32,
    /// `true` if the call holds permits, `false` if it waits.
    pub(crate) holds: bool,
    /// `true` if the log has reported that the permits are held for long.
    pub(crate) is_reported: bool,
}

impl PartialEq for Info {
    fn eq(&self, other: &Self) -> bool {
        let key = |info: &Self| {
            let Self { limiter, semaphore, task, since, weight, holds, is_reported, .. } = *info;
            (limiter, semaphore, task, since, weight, holds, is_reported)
        };
        // Locations are compared by address. This is quicker, and one call always has the same
        // address.
        std::ptr::eq(self.site, other.site) && key(self) == key(other)
    }
}

impl Eq for Info {}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    taken: AtomicBool,
    info: AtomicCell<Option<Info>>,
}

/// The number of chunks. The first has `FIRST` slots, each further one twice as many, 16 million in
/// all. Calls beyond that are not recorded.
const CHUNKS: usize = 18;
const FIRST: usize = 64;
/// The number of slots of a chunk that are tried before the next chunk.
const TRIES: usize = 8;

type Chunk = Box<[CachePadded<Slot>]>;

static CHUNKS_MADE: [OnceCell<Chunk>; CHUNKS] = [const { OnceCell::new() }; CHUNKS];

thread_local! {
    /// The index of the thread's last slot.
    static NEAR: Cell<usize> = Cell::new(next_thread());
}

/// Returns the first index of a new thread. Threads begin `TRIES` slots apart.
fn next_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(TRIES)
}

/// Takes a slot for a call. Returns `None` if the slots that were tried are taken.
pub(crate) fn take(info: Info) -> Option<&'static Slot> {
    // The thread's locals cannot be reached while they are dropped.
    let near = NEAR.try_with(Cell::get).unwrap_or(0);
    for (number, chunk) in CHUNKS_MADE.iter().enumerate() {
        let chunk =
            chunk.get_or_init(|| (0..FIRST << number).map(|_| CachePadded::default()).collect());
        for offset in 0..TRIES {
            let index = near.wrapping_add(offset);
            let slot = &chunk[index % chunk.len()];
            // `Acquire` pairs with `give_back`: the last owner's writes come before this thread's.
            let mine =
                !slot.taken.load(Ordering::Relaxed) && !slot.taken.swap(true, Ordering::Acquire);
            if mine {
                let _ = NEAR.try_with(|near| near.set(index));
                slot.info.store(Some(info));
                return Some(slot);
            }
        }
    }
    None
}

/// Changes the content of the caller's own slot. Returns whether it has any.
pub(crate) fn change(slot: &'static Slot, change: impl Fn(Info) -> Info) -> bool {
    // The thread that warns may mark a holder as told at the same time.
    slot.info.fetch_update(|info| Some(info.map(&change))).is_ok_and(|info| info.is_some())
}

/// Takes a part of the permits out of a slot. Returns what is to be said of that part.
pub(crate) fn split(slot: &'static Slot, weight: u32) -> Option<Info> {
    let rest = |info: Info| Info { weight: info.weight.saturating_sub(weight), ..info };
    let before = slot.info.fetch_update(|info| Some(info.map(rest))).ok()??;
    Some(Info { weight, ..before })
}

/// Gives a slot back, and returns its last content.
pub(crate) fn give_back(slot: &'static Slot) -> Option<Info> {
    let info = slot.info.swap(None);
    // `Release` pairs with the `Acquire` of the next owner in `take`.
    slot.taken.store(false, Ordering::Release);
    info
}

/// Returns all calls that are recorded at this moment.
pub(crate) fn all() -> impl Iterator<Item = Info> {
    slots().filter_map(|slot| slot.info.load())
}

/// Reports each call that `is_due`, once. Marks the call, and then calls `report` with the result
/// of `look_up`. A call that ends at the same moment is reported together with its end, or not at
/// all.
pub(crate) fn report_each<T>(
    is_due: impl Fn(&Info) -> bool,
    look_up: impl Fn(&Info) -> T,
    mut report: impl FnMut(&Info, T),
) {
    for slot in slots() {
        let Some(info) = slot.info.load().filter(|info| !info.is_reported && is_due(info)) else {
            continue;
        };
        let result = look_up(&info);
        let marked = Info { is_reported: true, ..info };
        // If the exchange succeeds, the call has not ended since `look_up`, so the result is right.
        if slot.info.compare_exchange(Some(info), Some(marked)).is_ok() {
            report(&marked, result);
        }
    }
}

fn slots() -> impl Iterator<Item = &'static Slot> {
    let chunks = CHUNKS_MADE.iter().filter_map(OnceCell::get);
    chunks.flatten().map(|slot| &**slot).filter(|slot| slot.taken.load(Ordering::Relaxed))
}
