//! A limiter for one key.

use super::KeyedLimiter;
use super::settings::clamp;
use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::engine::core::Core;
use crate::keying::{Key, Keying};
use crate::permit::Permit;
use crate::policy::MAX_LIMIT;
use crate::recorder::CallSite;
use crate::rejected::Rejected;
use crate::scope::Scope;
use crate::semaphore::text_of_key;
use std::any::type_name;
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

/// Returns the text by which a fleet knows a key.
#[track_caller]
fn text_of<T: 'static>(key: &T, limiter: &str) -> String {
    text_of_key(key).unwrap_or_else(|| {
        let type_name = type_name::<T>();
        panic!(
            "a fleet knows the keys of concurrency limiter `{limiter}` by their text, and `{type_name}` \
             has none here: write `.key(key.to_string())`"
        )
    })
}

impl<E: Admission> KeyedLimiter<E> {
    /// Returns the limiter for calls with this key.
    ///
    /// Keys differ by type and by value: `key(7_u32)` and `key(7_u64)` are two keys. A key's `Eq`
    /// and `Clone` run under a lock. They must not use the limiter, and should be quick.
    ///
    /// With [`Scope::Fleet`] the text of the key counts, because all processes of the fleet know the key by
    /// it: `key(7_u32)` and `key("7")` are one key.
    ///
    /// # Panics
    ///
    /// With [`Scope::Fleet`], if the key is no text (`String`, `&'static str`, `Arc<str>`, `Box<str>`,
    /// `Cow<'static, str>`), number, `bool`, `char` or address ([`std::net`]): write
    /// `.key(key.to_string())`.
    ///
    /// # Examples
    ///
    /// See [`keyed`](super::Limiter::keyed).
    #[inline]
    #[track_caller]
    pub fn key<T: Hash + Eq + Clone + Send + 'static>(&self, key: T) -> ForKey<'_, T, E> {
        let key = if self.core.definition.scope == Scope::Fleet {
            Key::from_text(text_of(&key, self.name()))
        } else {
            Key::new(key)
        };
        ForKey { core: &self.core, key, kind: PhantomData }
    }

    /// Sets a cap over all keys. While the cap is reached, the keys whose calls wait are served in
    /// turn, one call each. So a busy key cannot starve the others.
    ///
    /// # Panics
    ///
    /// If the limiter has been used.
    ///
    /// # Examples
    ///
    /// See [`keyed`](super::Limiter::keyed).
    #[must_use]
    #[track_caller]
    pub const fn total(mut self, total: usize) -> Self {
        self.configure("`Limiter::total` must be called before the limiter is used").policy.total =
            clamp(total, MAX_LIMIT);
        self
    }

    /// Changes the cap over all keys, as [`set_limit`](Self::set_limit) changes the limit of each
    /// key.
    pub fn set_total(&self, total: usize) {
        let set = self.core.engine().set_total(total);
        debug_assert_eq!(set, Ok(()), "its type says that it has keys");
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
        self.try_acquire_many(self.core.definition.request.weight)
    }

    /// Takes `weight` permits of this key at once, if they are free and no call waits for them.
    ///
    /// # Errors
    ///
    /// The same as [`try_acquire`](Self::try_acquire).
    #[track_caller]
    pub fn try_acquire_many(&self, weight: u32) -> Result<Permit, Rejected> {
        self.core.try_acquire(weight, &self.key, CallSite::caller())
    }
}

impl<T, E: Admission> fmt::Debug for ForKey<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForKey").field("limiter", self.core).finish_non_exhaustive()
    }
}
