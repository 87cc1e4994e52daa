//! The cells of chunks that were given back, for whichever semaphore of the process needs some next.
//!
//! The cells are leaked on purpose: a waiter looks at its own without the lock, by a reference that is
//! `&'static`. So they cannot be freed, but they can be used again. Nobody looks at a cell whose slot
//! is not its own, and a chunk is given back when none of its slots is anybody's: so nobody who looks at
//! one that is here is left. It is `WAITING`, as that of a free slot is.
//!
//! What the process keeps is eight bytes for each that waited, in all semaphores together, at the time
//! when most did.

use super::super::status::WAITING;
use crate::sync::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Slots in a chunk.
pub(super) const CHUNK: u32 = 64;

/// The first of those that are nobody's.
static POOL: Mutex<Option<&'static StatusCells>> = Mutex::new(None);

/// The cells of a chunk of slots.
#[derive(Debug)]
pub(super) struct StatusCells {
    all: [AtomicU64; CHUNK as usize],
    /// While they are nobody's: the next.
    next: Mutex<Option<&'static Self>>,
}

/// Cells that go to the pool when this is dropped, when none of them is anybody's any more.
#[derive(Debug)]
pub(super) struct Pooled(&'static StatusCells);

impl Pooled {
    /// Those of the pool, or new ones.
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
        // Loom's atomics are of one run of a model.
        if cfg!(limit_loom) {
            return;
        }
        let mut pool = lock(&POOL);
        *lock(&self.0.next) = pool.replace(self.0);
    }
}

/// The standard library's lock also in a model: the pool is of the process.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
