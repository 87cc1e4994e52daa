//! Where the waiters of a semaphore are kept: slots, by number, in chunks that never move.

use crate::sync::{AtomicU64, Ordering};
use std::task::Waker;

/// Slots in a chunk.
const CHUNK: usize = 64;

/// No slot.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// No key.
pub(super) const NO_KEY: u32 = u32::MAX;

/// How the waiter of one slot stands: one of the constants, in the lowest bits, and above them a
/// figure that goes with it.
pub(super) type Grant = &'static AtomicU64;

const FIGURE_SHIFT: u32 = 3;

/// How somebody stands whose grant has this value.
#[inline]
pub(super) fn standing(grant: u64) -> u64 {
    grant & ((1 << FIGURE_SHIFT) - 1)
}

/// The figure in a grant of this value.
#[inline]
pub(super) fn figure(grant: u64) -> u64 {
    grant >> FIGURE_SHIFT
}

/// The value of a grant. (A figure that has no room, a wait of more than 73 years, is cut short.)
#[inline]
pub(super) fn with_figure(standing: u64, figure: u64) -> u64 {
    standing | figure.min(u64::MAX >> FIGURE_SHIFT) << FIGURE_SHIFT
}

/// In the queue, or nobody's.
pub(super) const WAITING: u64 = 0;
/// Has been handed its permits; has not seen it yet.
pub(super) const GRANTED: u64 = 1;
/// Has been handed its permits and runs. The figure is how long it waited, in nanoseconds.
pub(super) const ADMITTED: u64 = 2;
/// Out of the queue without permits: ask again, here or at the runtime that polls now.
pub(super) const RETRY: u64 = 3;
/// Out of the queue without permits: refused.
pub(super) const REFUSED: u64 = 4;
/// Has never waited, and runs.
pub(super) const AT_ONCE: u64 = 5;

/// Half a cache line, so that none lies across two.
#[derive(Debug)]
#[repr(align(32))]
pub(super) struct Node {
    /// Towards the head. Whatever for the head itself.
    pub(super) previous: u32,
    /// Towards the tail, or the next free slot.
    pub(super) next: u32,
    pub(super) waker: Option<Waker>,
    /// The number of its key, [`NO_KEY`] without keys.
    pub(super) key: u32,
    /// Whether it can be told that it is refused.
    pub(super) fallible: bool,
}

#[derive(Debug)]
struct Chunk {
    nodes: Box<[Node; CHUNK]>,
    /// 1, but for those who wait for more.
    weights: Box<[u32; CHUNK]>,
    /// Leaked on purpose: semaphores live for ever.
    grants: &'static [AtomicU64; CHUNK],
}

/// All slots of a semaphore.
#[derive(Debug)]
pub(super) struct Slots {
    chunks: Vec<Chunk>,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    /// Adds a chunk of free slots, linked by `next`; returns the first.
    #[cold]
    pub(super) fn grow(&mut self) -> u32 {
        let first = self.chunks.len() * CHUNK;
        let nodes = std::array::from_fn(|offset| Node {
            previous: NO_SLOT,
            next: if offset + 1 == CHUNK { NO_SLOT } else { number(first + offset + 1) },
            waker: None,
            key: NO_KEY,
            fallible: false,
        });
        self.chunks.push(Chunk {
            nodes: Box::new(nodes),
            weights: Box::new([1; CHUNK]),
            grants: Box::leak(Box::new(std::array::from_fn(|_| AtomicU64::new(WAITING)))),
        });
        number(first)
    }

    /// How many slots there are, free ones among them.
    pub(super) fn len(&self) -> u32 {
        number(self.chunks.len() * CHUNK)
    }

    #[inline]
    pub(super) fn node(&self, slot: u32) -> &Node {
        &self.chunks[slot as usize / CHUNK].nodes[slot as usize % CHUNK]
    }

    #[inline]
    pub(super) fn node_mut(&mut self, slot: u32) -> &mut Node {
        &mut self.chunks[slot as usize / CHUNK].nodes[slot as usize % CHUNK]
    }

    /// Both at once.
    #[inline]
    pub(super) fn node_and_grant(&mut self, slot: u32) -> (&mut Node, Grant) {
        let chunk = &mut self.chunks[slot as usize / CHUNK];
        let offset = slot as usize % CHUNK;
        (&mut chunk.nodes[offset], &chunk.grants[offset])
    }

    pub(super) fn weight(&mut self, slot: u32) -> &mut u32 {
        &mut self.chunks[slot as usize / CHUNK].weights[slot as usize % CHUNK]
    }

    #[inline]
    pub(super) fn grant(&self, slot: u32) -> Grant {
        &self.chunks[slot as usize / CHUNK].grants[slot as usize % CHUNK]
    }

    /// How long those waited who were admitted and hold their permits.
    pub(super) fn admitted(&self) -> impl Iterator<Item = u64> {
        let grants = self.chunks.iter().flat_map(|chunk| chunk.grants.iter());
        let grants = grants.map(|grant| grant.load(Ordering::Relaxed));
        grants.filter(|&grant| standing(grant) == ADMITTED).map(figure)
    }
}

/// A slot's number. 2³² waiters would need 180 GB.
fn number(slot: usize) -> u32 {
    u32::try_from(slot).expect("fewer than 2^32 calls wait for one semaphore")
}
