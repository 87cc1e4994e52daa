//! Where the waiters of a semaphore are kept: slots, by number, in chunks that never move.

use crate::sync::{AtomicU32, Ordering};
use std::task::Waker;

/// Slots in a chunk.
const CHUNK: usize = 64;

/// No slot.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// How the waiter of one slot stands; see the constants.
pub(crate) type Grant = &'static AtomicU32;

/// In the queue, or nobody's.
pub(crate) const WAITING: u32 = 0;
/// Has been handed its permits; has not seen it yet.
pub(crate) const GRANTED: u32 = 1;
/// Has been handed its permits and runs.
pub(crate) const ADMITTED: u32 = 2;
/// Out of the queue without permits: ask again, here or at the runtime that polls now.
pub(crate) const RETRY: u32 = 3;
/// Out of the queue without permits: wants more than the limit.
pub(crate) const TOO_HEAVY: u32 = 4;

/// Half a cache line.
#[derive(Debug)]
#[repr(align(32))]
pub(super) struct Node {
    /// Towards the head. Whatever for the head itself.
    pub(super) previous: u32,
    /// Towards the tail, or the next free slot.
    pub(super) next: u32,
    /// While waiting: when it joined. Once served: how long it waited. Nanoseconds. If it was
    /// dismissed as too heavy: the limit.
    pub(super) time: i64,
    pub(super) waker: Option<Waker>,
}

#[derive(Debug)]
struct Chunk {
    nodes: Box<[Node; CHUNK]>,
    /// 1, but for those who wait for more.
    weights: Box<[u32; CHUNK]>,
    /// Leaked on purpose: semaphores live for ever.
    grants: &'static [AtomicU32; CHUNK],
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
            time: 0,
            waker: None,
        });
        self.chunks.push(Chunk {
            nodes: Box::new(nodes),
            weights: Box::new([1; CHUNK]),
            grants: Box::leak(Box::new(std::array::from_fn(|_| AtomicU32::new(WAITING)))),
        });
        number(first)
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

    /// The nodes of those who were admitted and hold their permits.
    pub(super) fn admitted(&self) -> impl Iterator<Item = &Node> {
        let admitted = |grant: &AtomicU32| grant.load(Ordering::Relaxed) == ADMITTED;
        self.chunks.iter().flat_map(move |chunk| {
            let slots = chunk.grants.iter().zip(chunk.nodes.iter());
            slots.filter(move |(grant, _)| admitted(grant)).map(|(_, node)| node)
        })
    }
}

/// A slot's number. 2³² waiters would need 170 GB.
fn number(slot: usize) -> u32 {
    u32::try_from(slot).expect("fewer than 2^32 calls wait for one semaphore")
}
