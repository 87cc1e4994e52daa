//! The locks and atomics of the crate: the standard library's, or in a model (`--cfg limit_loom`),
//! loom's.

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

/// Locks a mutex, also after a panic under the lock.
///
/// A key's `Eq` and `Clone` are the only code of a user that runs under our locks. They run before
/// anything is changed. So the value is whole, or the panic was a bug that has already been reported.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
