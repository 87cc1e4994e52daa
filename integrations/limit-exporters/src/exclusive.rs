//! A value that one thread after another may use.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// A mutex for values that are in use while foreign code runs: a recorder, an instrument, a key that is dropped.
///
/// Foreign code may come back on the same thread, for instance a recorder that collects while it receives
/// figures. It would wait for itself for ever. This type turns it away instead.
#[derive(Debug, Default)]
pub(crate) struct Exclusive<T> {
    value: Mutex<T>,
    /// The thread that uses the value.
    user: Mutex<Option<ThreadId>>,
}

impl<T> Exclusive<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { value: Mutex::new(value), user: Mutex::new(None) }
    }

    /// Waits until no other thread uses the value, then calls `act` with it. Returns `None` and does not call
    /// `act` if the current thread uses the value already.
    ///
    /// If `act` panics, the value stays as it is at that moment.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> Option<R> {
        struct Reset<'a>(&'a Mutex<Option<ThreadId>>);

        impl Drop for Reset<'_> {
            fn drop(&mut self) {
                *lock(self.0) = None;
            }
        }

        let current = Some(thread::current().id());
        // No other thread can make this true or false.
        if *lock(&self.user) == current {
            return None;
        }
        let mut value = lock(&self.value);
        *lock(&self.user) = current;
        // Dropped before `value` is unlocked: the next thread sets it only after that.
        let _reset = Reset(&self.user);
        Some(act(&mut value))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
