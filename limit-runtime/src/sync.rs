//! The locks and atomics that the crate is built on: the standard library's, or loom's in a model
//! (`--cfg limit_loom`).

#[cfg(limit_loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, Ordering},
};
use std::sync::PoisonError;
#[cfg(not(limit_loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

/// Locks, also after a panic under the lock.
///
/// Of a user's code only a key's `Eq` and `Clone` run under our locks, before anything is changed. So what
/// a poisoned lock guards is whole, or the panic was a bug that has already been reported.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
