//! The status cells of chunks that were given back, for any semaphore of the process that needs some
//! next.
//!
//! A waiter reads its cell without the lock, by a `&'static` reference. So cells are leaked on
//! purpose: they cannot be freed, but they can be used again. A waiter reads no cell but that of its
//! own slot, and a chunk is given back when all its slots are free. So no waiter reads a cell that is
//! in the pool. Such a cell is `WAITING`, as that of any free slot.
//!
//! The process keeps eight bytes for each waiter of the time when most calls waited, over all
//! semaphores.

use super::super::status::WAITING;
use crate::sync::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Slots in a chunk.
pub(super) const CHUNK: u32 = 64;

/// The first chunk of cells in the pool.
static POOL: Mutex<Option<&'static StatusCells>> = Mutex::new(None);

/// The cells of one chunk of slots.
#[derive(Debug)]
pub(super) struct StatusCells {
    all: [AtomicU64; CHUNK as usize],
    /// The next chunk, while it is in the pool.
    next: Mutex<Option<&'static Self>>,
}

/// The cells of one chunk of slots, which go to the pool when this is dropped.
#[derive(Debug)]
pub(super) struct Pooled(&'static StatusCells);

impl Pooled {
    /// Takes cells from the pool, or makes new ones.
    pub(super) fn new() -> Self {
        let mut pool = lock(&POOL);
        if let Some(first) = pool.take() {
            *pool = lock(&first.next).take();
            return Self(first);
        }
        drop(pool);
        let all = std::array::from_fn(|_| AtomicU64::new(WAITING));
        Self(Box::leak(Box::new(StatusCells { all, next: Mutex::new(None) })))
    }

    #[inline]
    pub(super) fn get(&self) -> &'static [AtomicU64; CHUNK as usize] {
        &self.0.all
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        // Loom's atomics belong to one run of a model, and cannot be used in the next.
        if cfg!(limit_loom) {
            return;
        }
        let mut pool = lock(&POOL);
        *lock(&self.0.next) = pool.replace(self.0);
    }
}

/// Locks with the standard library's lock also in a model, because the pool belongs to the process.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
