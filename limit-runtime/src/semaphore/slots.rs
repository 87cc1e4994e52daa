//! The slots of a semaphore's waiters, by number, in chunks that never move.
//!
//! The first sixteen chunks stay when they have been made. Nothing is counted for them: their free
//! slots are a list in the nodes themselves. They are taken before all others. Further chunks come
//! and go with their waiters (see [`Slab`]).

mod pool;

use super::rank::Rank;
use super::slab::{self, Emptied, Slab};
use super::status::{ADMITTED, GRANTED, StatusCell, status};
use crate::sync::Ordering;
use pool::{CHUNK, Pooled};
use std::ops::Range;
use std::task::Waker;

/// Slots below this number are in chunks that stay.
pub(super) const KEPT: u32 = 1024;

/// The number that stands for no slot.
pub(super) const NO_SLOT: u32 = u32::MAX;

/// In place of a slot: nothing comes back, because the permits are another owner's.
pub(super) const NOTHING: u32 = u32::MAX - 1;

/// The number that stands for no key.
pub(super) const NO_KEY: u32 = u32::MAX;

/// A waiter's node in the wait list. It takes half a cache line, so that none lies across two.
#[derive(Debug)]
#[repr(align(32))]
pub(super) struct Node {
    /// The node towards the head. In the head itself it is stale.
    pub(super) previous: u32,
    /// The node towards the tail. In a free slot below [`KEPT`], the next free slot.
    pub(super) next: u32,
    pub(super) waker: Option<Waker>,
    /// The number of its key, [`NO_KEY`] without keys.
    pub(super) key: u32,
}

#[derive(Debug)]
struct SlotChunk {
    nodes: Box<[Node; CHUNK as usize]>,
    /// The permits that each waiter wants. 1 in a slot that is free.
    weights: Box<[u32; CHUNK as usize]>,
    cells: Pooled,
    /// The ranks of waiters, once a wait list with slots of this chunk has been ranked.
    ranks: Option<Box<[Rank; CHUNK as usize]>>,
    /// Holders that were handed permits while they waited, and have not given their slots back. It is
    /// not counted in chunks that stay.
    served: u32,
}

/// All slots of a semaphore.
#[derive(Debug)]
pub(super) struct Slots {
    /// The chunks that stay.
    kept: Vec<SlotChunk>,
    /// All other chunks, if there have been any.
    more: Option<Box<More>>,
}

#[derive(Debug)]
struct More {
    /// Slots by number, less [`KEPT`].
    slab: Slab<SlotChunk, CHUNK>,
    /// A chunk to be dropped after unlocking.
    emptied: Option<Emptied<SlotChunk>>,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Self { kept: Vec::new(), more: None }
    }

    /// Takes a slot, when all that are kept are in use. If there is room for another chunk that
    /// stays, makes one, whose other slots are linked by the `next` of the result. Otherwise that
    /// `next` is none.
    // Not `cold`: beyond those that are kept every waiter comes here.
    #[inline(never)]
    pub(super) fn grow(&mut self) -> u32 {
        let first = self.kept.len() * CHUNK as usize;
        if first < KEPT as usize {
            let end = first + CHUNK as usize;
            self.kept.push(SlotChunk::new(|offset| match first + offset + 1 {
                next if next < end => number(next),
                _ => NO_SLOT,
            }));
            return number(first);
        }
        let more =
            self.more.get_or_insert_with(|| Box::new(More { slab: Slab::new(), emptied: None }));
        let make = || slab::Chunk::new(SlotChunk::new(|_| NO_SLOT), ());
        let slot = more.slab.take(0, make).checked_add(KEPT);
        slot.filter(|&slot| slot != NO_SLOT).expect(FEWER)
    }

    /// Gives back a slot that is not in a chunk that stays, given the value that its status cell had.
    #[inline(never)]
    pub(super) fn give_back(&mut self, slot: u32, before: u64) {
        if matches!(status(before), GRANTED | ADMITTED) {
            self.chunk_mut(slot).served -= 1;
        }
        if let Some(more) = &mut self.more {
            if let Some(emptied) = more.slab.give_back(slot - KEPT) {
                more.emptied = Some(emptied);
            }
        }
    }

    /// Counts a slot whose waiter is handed its permits, if it is not in a chunk that stays.
    #[inline(never)]
    pub(super) fn count_served(&mut self, slot: u32) {
        self.chunk_mut(slot).served += 1;
    }

    /// Takes back that a slot was counted, because its waiter's grant was taken back.
    pub(super) fn uncount_served(&mut self, slot: u32) {
        self.chunk_mut(slot).served -= 1;
    }

    /// Returns whether there is a chunk that is no longer needed.
    #[inline]
    pub(super) fn have_emptied(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.emptied.is_some())
    }

    /// Takes that chunk out, to be dropped after unlocking.
    pub(super) fn take_emptied(&mut self) -> Option<impl Sized + use<>> {
        self.more.as_mut()?.emptied.take()
    }

    /// Returns the slots of the first chunk that is there from a slot on, free ones among them.
    pub(super) fn chunk_from(&self, slot: u32) -> Option<Range<u32>> {
        let first = if (slot / CHUNK) as usize >= self.kept.len() {
            let more = self.more.as_ref()?;
            more.slab.chunk_from(slot.saturating_sub(KEPT) / CHUNK)? * CHUNK + KEPT
        } else {
            slot / CHUNK * CHUNK
        };
        Some(first..first + CHUNK)
    }

    #[inline]
    pub(super) fn node(&self, slot: u32) -> &Node {
        &self.chunk(slot).nodes[(slot % CHUNK) as usize]
    }

    #[inline]
    pub(super) fn node_mut(&mut self, slot: u32) -> &mut Node {
        &mut self.chunk_mut(slot).nodes[(slot % CHUNK) as usize]
    }

    /// Returns the node and the status cell of a slot.
    #[inline]
    pub(super) fn node_and_status(&mut self, slot: u32) -> (&mut Node, StatusCell) {
        let chunk = self.chunk_mut(slot);
        let offset = (slot % CHUNK) as usize;
        (&mut chunk.nodes[offset], &chunk.cells.get()[offset])
    }

    pub(super) fn weight(&mut self, slot: u32) -> &mut u32 {
        &mut self.chunk_mut(slot).weights[(slot % CHUNK) as usize]
    }

    /// Returns the rank of a waiter in a ranked list.
    #[inline]
    pub(super) fn rank(&self, slot: u32) -> Rank {
        let ranks = self.chunk(slot).ranks.as_ref();
        ranks.expect("a waiter in a ranked list has a rank")[(slot % CHUNK) as usize]
    }

    #[inline]
    pub(super) fn set_rank(&mut self, slot: u32, rank: Rank) {
        let ranks = &mut self.chunk_mut(slot).ranks;
        let ranks = ranks.get_or_insert_with(|| Box::new([Rank::FRONT; CHUNK as usize]));
        ranks[(slot % CHUNK) as usize] = rank;
    }

    #[inline]
    pub(super) fn cell(&self, slot: u32) -> StatusCell {
        &self.chunk(slot).cells.get()[(slot % CHUNK) as usize]
    }

    /// Returns the slots with the values of their cells, but for chunks in which nobody has been handed
    /// permits.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u32, u64)> {
        let mut from = 0;
        let chunks = std::iter::from_fn(move || {
            let slots = self.chunk_from(from)?;
            from = slots.end;
            Some(slots)
        });
        let chunks =
            chunks.filter(|slots| slots.start < KEPT || self.chunk(slots.start).served > 0);
        chunks.flatten().map(|slot| (slot, self.cell(slot).load(Ordering::Relaxed)))
    }

    /// Returns the status cell of each call that waited, was admitted and holds its permits.
    pub(super) fn admitted(&self) -> impl Iterator<Item = StatusCell> {
        let more = self.more.iter().flat_map(|more| more.slab.iter()).map(|chunk| &chunk.content);
        let chunks = self.kept.iter().chain(more.filter(|chunk| chunk.served > 0));
        let cells = chunks.flat_map(|chunk| chunk.cells.get().iter());
        cells.filter(|cell| status(cell.load(Ordering::Relaxed)) == ADMITTED)
    }

    #[inline]
    fn chunk(&self, slot: u32) -> &SlotChunk {
        match self.kept.get((slot / CHUNK) as usize) {
            Some(chunk) => chunk,
            None => &self.more.as_ref().expect(ONE_OF_MORE).slab.get(slot - KEPT).0.content,
        }
    }

    #[inline]
    fn chunk_mut(&mut self, slot: u32) -> &mut SlotChunk {
        match self.kept.get_mut((slot / CHUNK) as usize) {
            Some(chunk) => chunk,
            None => &mut self.more.as_mut().expect(ONE_OF_MORE).slab.get_mut(slot - KEPT).0.content,
        }
    }
}

impl SlotChunk {
    /// Makes a chunk of free slots, given the next free slot of each.
    #[cold]
    fn new(next: impl Fn(usize) -> u32) -> Self {
        let node =
            |offset| Node { previous: NO_SLOT, next: next(offset), waker: None, key: NO_KEY };
        Self {
            nodes: Box::new(std::array::from_fn(node)),
            weights: Box::new([1; CHUNK as usize]),
            cells: Pooled::new(),
            ranks: None,
            served: 0,
        }
    }
}

const ONE_OF_MORE: &str = "a slot that is in use is in a chunk";

const FEWER: &str = "fewer than 2^32 calls wait for one semaphore";

/// Returns a slot's number. 2³² waiters would need 180 GB.
fn number(slot: usize) -> u32 {
    u32::try_from(slot).expect(FEWER)
}
