//! A limiter for one key.

use super::KeyedLimiter;
use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::engine::core::Core;
use crate::keying::{Key, Keying, sealed::Keying as _};
use crate::permit::Permit;
use crate::recorder::CallSite;
use crate::rejected::Rejected;
use std::convert::Infallible;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

/// A [`KeyedLimiter`] with a key. [`KeyedLimiter::key`] returns it.
#[must_use = "it takes no permit before one of its methods is called"]
pub struct ForKey<'a, T, E: Admission = Infallible> {
    core: &'a Core,
    key: Key<T>,
    kind: PhantomData<fn() -> E>,
}

impl<E: Admission> KeyedLimiter<E> {
    /// Returns the limiter for calls with this key.
    ///
    /// Keys differ by type and by value: `key(7_u32)` and `key(7_u64)` are two keys. A key's `Eq`
    /// and `Clone` run under a lock. They must not use the limiter, and should be quick.
    ///
    /// # Examples
    ///
    /// See [`keyed`](super::Limiter::keyed).
    pub fn key<T: Hash + Eq + Clone + Send + 'static>(&self, key: T) -> ForKey<'_, T, E> {
        ForKey { core: &self.core, key: Key::new(key), kind: PhantomData }
    }
}

impl<'a, T: Eq + Clone + Send + 'static, E: Admission> ForKey<'a, T, E>
where
    Key<T>: Keying,
{
    /// Takes a permit of this key. Waits if none is free.
    ///
    /// Cancel safe, see [`Acquire`].
    #[track_caller]
    pub fn acquire(self) -> Acquire<'a, E, Key<T>> {
        Acquire::new(self.core, self.key, CallSite::caller())
    }

    /// Takes a permit of this key on a thread that may block, as
    /// [`Limiter::blocking_acquire`](crate::Limiter::blocking_acquire).
    ///
    /// # Panics
    ///
    /// In async code, where it would block the runtime.
    #[track_caller]
    pub fn blocking_acquire(self) -> E::Outcome<Permit> {
        self.acquire().block()
    }

    /// Takes a permit of this key, if one is free and no call waits for it.
    ///
    /// # Errors
    ///
    /// [`RejectedKind::NoPermits`](crate::RejectedKind::NoPermits) if too few permits are free;
    /// [`TooHeavy`](crate::RejectedKind::TooHeavy) and [`Closed`](crate::RejectedKind::Closed) as
    /// for other calls.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, Rejected> {
        self.core.try_acquire(
            self.core.definition.request.weight,
            self.key.source(),
            CallSite::caller(),
        )
    }

    /// Takes `weight` permits of this key at once, if they are free and no call waits for them.
    ///
    /// # Errors
    ///
    /// As [`try_acquire`](Self::try_acquire).
    #[track_caller]
    pub fn try_acquire_many(&self, weight: u32) -> Result<Permit, Rejected> {
        self.core.try_acquire(weight, self.key.source(), CallSite::caller())
    }
}

impl<T, E: Admission> fmt::Debug for ForKey<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForKey").field("limiter", self.core).finish_non_exhaustive()
    }
}
