//! All slots. Taking one and giving it back needs no lock that all calls share.
//!
//! Each thread keeps the slot that was given back to it last, so that most calls find one in the thread's cache. A
//! thread without one first tries the slots near its last one, so that threads rarely try the same slots. Chunks of
//! slots are made when they are needed, each twice as large as the one before. They are never freed.

use super::agent::{APART, Agent, Local};
use super::clock::Moment;
use super::info::Info;
use super::slot::{Record, Slot};
use crossbeam_utils::CachePadded;
use once_cell::sync::OnceCell;
use std::cell::Cell;
use std::collections::HashSet;

/// The number of chunks. The first has `FIRST` slots, each further one twice as many, 16 million in
/// all. Calls beyond that are not recorded.
const CHUNKS: usize = 18;
const FIRST: usize = 64;
/// The number of slots of a chunk that are tried before the next chunk.
const TRIES: usize = APART;

type Chunk = Box<[CachePadded<Slot>]>;

static CHUNKS_MADE: [OnceCell<Chunk>; CHUNKS] = [const { OnceCell::new() }; CHUNKS];

thread_local! {
    static SPARE: Spare = const { Spare(Cell::new(None)) };
}

/// A slot that a thread owns, for its next record.
struct Spare(Cell<Option<&'static Slot>>);

impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.give_back();
        }
    }
}

/// Takes a slot for a call. Returns `None` if the slots that were tried are taken.
#[inline]
pub(super) fn take() -> Option<&'static Slot> {
    // It fails while the thread's locals are dropped.
    SPARE.try_with(|spare| spare.0.take()).ok().flatten().or_else(find)
}

#[inline(never)]
fn find() -> Option<&'static Slot> {
    // The thread's locals cannot be reached while they are dropped.
    let near = Local::with(|local| local.near.get()).unwrap_or(0);
    for (number, chunk) in CHUNKS_MADE.iter().enumerate() {
        let chunk =
            chunk.get_or_init(|| (0..FIRST << number).map(|_| CachePadded::default()).collect());
        for offset in 0..TRIES {
            let index = near.wrapping_add(offset);
            let slot = &chunk[index % chunk.len()];
            if slot.try_take() {
                Local::with(|local| local.near.set(index));
                return Some(slot);
            }
        }
    }
    None
}

/// Gives a slot back whose record has ended.
#[inline]
pub(super) fn give_back(slot: &'static Slot) {
    // It fails while the thread's locals are dropped.
    let unneeded = SPARE.try_with(|spare| spare.0.replace(Some(slot)));
    if let Some(slot) = unneeded.unwrap_or(Some(slot)) {
        slot.give_back();
    }
}

/// Returns when the call began to wait that has waited longest. Calls that give up do not count.
pub(crate) fn oldest_wait() -> Option<Moment> {
    let waits = slots().filter(|slot| !slot.holds()).filter_map(Slot::read);
    waits.filter(|wait| !wait.info.holds && !wait.info.gives_up).map(|wait| wait.info.since).min()
}

/// Returns whether an agent waits and holds permits. Returns `None` if nobody waits. It may miss calls that begin or end
/// meanwhile. `waiting` is room for the agents that wait: to keep it from look to look saves half of the time.
pub(crate) fn holds_and_waits(waiting: &mut HashSet<Agent>) -> Option<bool> {
    let agents = |holds| {
        let slots = slots().filter(move |slot| slot.holds() == holds);
        slots.map(Slot::agent).filter(|&agent| agent != Agent::Nobody)
    };
    waiting.clear();
    waiting.extend(agents(false));
    (!waiting.is_empty()).then(|| agents(true).any(|agent| waiting.contains(&agent)))
}

/// Returns all calls that are recorded at this moment.
pub(crate) fn all() -> impl Iterator<Item = Record> {
    slots().filter_map(Slot::read)
}

/// Reports each call that holds permits and `is_due`, once. Marks the call, and then calls `report` with the result
/// of `look_up`. A call that ends at the same moment is reported together with its end, or not at
/// all.
pub(crate) fn report_each<T>(
    is_due: impl Fn(&Info) -> bool,
    look_up: impl Fn(&Info) -> T,
    mut report: impl FnMut(&Record, T),
) {
    for slot in slots().filter(|slot| slot.holds()) {
        let is_due =
            |record: &Record| record.info.holds && !record.is_reported() && is_due(&record.info);
        let Some(record) = slot.read().filter(is_due) else { continue };
        let result = look_up(&record.info);
        // If it is marked now, the call has not ended since `look_up`, so the result is right.
        if record.mark_reported() {
            report(&record, result);
        }
    }
}

/// Returns the slots that have a call.
fn slots() -> impl Iterator<Item = &'static Slot> {
    let chunks = CHUNKS_MADE.iter().filter_map(OnceCell::get);
    chunks.flatten().map(|slot| &**slot).filter(|slot| slot.is_full())
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;
    use std::{ptr, thread};

    #[test]
    fn a_thread_leaves_no_slot_behind() {
        let use_one = || {
            // Not one of the chunks, from which other tests take.
            let slot: &'static Slot = Box::leak(Box::default());
            assert!(slot.try_take());
            give_back(slot);
            assert!(!slot.try_take(), "the thread keeps it");
            assert!(take().is_some_and(|taken| ptr::eq(taken, slot)), "for its next record");
            give_back(slot);
            slot
        };
        let slot = thread::spawn(use_one).join().expect("no panic");
        assert!(slot.try_take(), "nobody has it");
    }
}
