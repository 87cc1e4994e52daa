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
/// Nothing that can panic by a user's doing runs under our locks, so a poisoned one only repeats a
/// bug that has already been reported.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
