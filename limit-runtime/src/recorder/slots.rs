//! Slots for the calls that are recorded: taken and given back without a lock that all calls share.
//!
//! A slot belongs to whoever has set its `taken`. Who takes one tries those near to where the same
//! thread had its last, so that threads keep out of each other's way. Chunks of slots are made as they
//! are needed, each twice as large as the one before, and stay.
//!
//! What a slot says is written as a whole and read as a whole (`AtomicCell`): a reader sees a call or
//! none, never half of one and half of another.

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use once_cell::sync::OnceCell;
use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::task::Id;

/// What is known of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info {
    /// Its index.
    pub(crate) limiter: Option<u32>,
    /// The semaphore's number.
    pub(crate) semaphore: usize,
    pub(crate) site: &'static Location<'static>,
    pub(crate) task: Option<Id>,
    pub(crate) since: Instant,
    pub(crate) weight: u32,
    /// Otherwise it waits.
    pub(crate) holds: bool,
    /// Whether the log says that it has been held for long.
    pub(crate) is_told: bool,
}

impl PartialEq for Info {
    fn eq(&self, other: &Self) -> bool {
        let key = |info: &Self| {
            let Self { limiter, semaphore, task, since, weight, holds, is_told, .. } = *info;
            (limiter, semaphore, task, since, weight, holds, is_told)
        };
        // The locations by address: it is quicker, and the same call has the same one.
        std::ptr::eq(self.site, other.site) && key(self) == key(other)
    }
}

impl Eq for Info {}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    taken: AtomicBool,
    info: AtomicCell<Option<Info>>,
}

/// The first has `FIRST`, each further one twice as many: 16 million in all. What is more than that is
/// not recorded.
const CHUNKS: usize = 18;
const FIRST: usize = 64;
/// So many slots of a chunk are tried before the next one.
const TRIES: usize = 8;

type Chunk = Box<[CachePadded<Slot>]>;

static CHUNKS_MADE: [OnceCell<Chunk>; CHUNKS] = [const { OnceCell::new() }; CHUNKS];

thread_local! {
    /// Where this thread had its last slot.
    static NEAR: Cell<usize> = Cell::new(next_thread());
}

/// Threads begin far from each other.
fn next_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(TRIES)
}

/// Takes a slot for a call.
pub(crate) fn take(info: Info) -> Option<&'static Slot> {
    // Not to be had while the thread's locals are dropped.
    let near = NEAR.try_with(Cell::get).unwrap_or(0);
    for (number, chunk) in CHUNKS_MADE.iter().enumerate() {
        let chunk =
            chunk.get_or_init(|| (0..FIRST << number).map(|_| CachePadded::default()).collect());
        for offset in 0..TRIES {
            let place = near.wrapping_add(offset);
            let slot = &chunk[place % chunk.len()];
            // Acquire: what its last owner wrote to it comes before what we write.
            let mine =
                !slot.taken.load(Ordering::Relaxed) && !slot.taken.swap(true, Ordering::Acquire);
            if mine {
                let _ = NEAR.try_with(|near| near.set(place));
                slot.info.store(Some(info));
                return Some(slot);
            }
        }
    }
    None
}

/// Changes what a slot of one's own says. Returns whether it says anything.
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

/// Gives a slot back; what it said last.
pub(crate) fn give_back(slot: &'static Slot) -> Option<Info> {
    let info = slot.info.swap(None);
    // Release: pairs with the `Acquire` of who takes it next.
    slot.taken.store(false, Ordering::Release);
    info
}

/// All calls that are recorded at this moment.
pub(crate) fn all() -> impl Iterator<Item = Info> {
    slots().filter_map(|slot| slot.info.load())
}

/// Marks all calls of which that is so as told, and tells each at once, with what was found out about it
/// before. A call that goes at the same moment is either told with its end to come or not told.
pub(crate) fn tell_each<T>(
    is_so: impl Fn(&Info) -> bool,
    find_out: impl Fn(&Info) -> T,
    mut tell: impl FnMut(&Info, T),
) {
    for slot in slots() {
        let Some(info) = slot.info.load().filter(|info| !info.is_told && is_so(info)) else {
            continue;
        };
        let found = find_out(&info);
        let marked = Info { is_told: true, ..info };
        // Then the call was there all the while that it was found out.
        if slot.info.compare_exchange(Some(info), Some(marked)).is_ok() {
            tell(&marked, found);
        }
    }
}

fn slots() -> impl Iterator<Item = &'static Slot> {
    let chunks = CHUNKS_MADE.iter().filter_map(OnceCell::get);
    chunks.flatten().map(|slot| &**slot).filter(|slot| slot.taken.load(Ordering::Relaxed))
}
