//! Limits of single keys.

use super::{KeyedLimiter, LimiterHandle};
use crate::admission::Admission;
use crate::keying::key_name;
use crate::metrics::KeyLimit;
use crate::semaphore::KeyName;
use crate::setting::Unsupported;
use std::hash::Hash;

impl<E: Admission> KeyedLimiter<E> {
    /// Gives a key a limit of its own, in place of the limit of each, from now on. With `None` the limit of each holds
    /// again, or the one that a file has for the key. 0 pauses the key. A number above
    /// [`MAX_LIMIT`](crate::Limiter::MAX_LIMIT) is reduced to that.
    ///
    /// The limit holds in all runtimes, also later ones, and stays when the key is not in use.
    /// [`set_limit`](crate::Limiter::set_limit) leaves it as it is; [`reset`](crate::Limiter::reset) takes it back. The total
    /// over all keys holds besides. Calls that wait are admitted at once if the limit was raised, and holders above a lowered
    /// limit run on. The memory is that of the keys that were given limits.
    ///
    /// A key that has a text is known by it: `"acme"` and `String::from("acme")`, `7_u32` and `7_u64` get the same limit. The
    /// types with a text are `String`, `&'static str`, `Arc<str>`, `Box<str>`, `Cow<'static, str>`, the integers, `bool`,
    /// `char` and the addresses of [`std::net`]. Keys of other types, such as a tuple, are compared with `Eq`, under locks:
    /// it must not use the limiter. A file can name only keys that have a text.
    ///
    /// A change looks at all keys in use and at all keys with a limit of their own: some milliseconds for each ten thousand.
    /// So thousands of limits are better given by a file, in one step.
    ///
    /// # Errors
    ///
    /// If the scope is [`Scope::Fleet`](crate::Scope::Fleet). Nothing is changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{KeyedLimiter, Limiter};
    ///
    /// static TENANTS: KeyedLimiter = Limiter::new("key-limits-example", 1).keyed().total(20);
    ///
    /// TENANTS.set_key_limit("acme", Some(10))?;
    /// let acme: Result<Vec<_>, _> = (0..10).map(|_| TENANTS.key("acme").try_acquire()).collect();
    /// let other = [(); 2].map(|()| TENANTS.key("other").try_acquire());
    /// assert!(acme.is_ok() && other[0].is_ok() && other[1].is_err());
    ///
    /// let limits = TENANTS.snapshot().key_limits;
    /// assert_eq!((&*limits[0].key, limits[0].limit), ("acme", 10));
    /// TENANTS.set_key_limit("acme", None)?;
    /// assert!(TENANTS.snapshot().key_limits.is_empty());
    /// # Ok::<(), limit_runtime::Unsupported>(())
    /// ```
    pub fn set_key_limit<T>(&self, key: T, limit: Option<usize>) -> Result<(), Unsupported>
    where
        T: Hash + Eq + Send + Sync + 'static,
    {
        self.core.engine().set_key_limit(&key_name(key), limit)
    }
}

impl LimiterHandle {
    /// Gives the keys with this text a limit of their own, as
    /// [`KeyedLimiter::set_key_limit`](crate::KeyedLimiter::set_key_limit), or takes it back.
    ///
    /// A [`Snapshot`](crate::Snapshot) has a warning if no key can have the text, such as `acme` if all keys are numbers.
    ///
    /// # Errors
    ///
    /// If the limiter has no keys, or its scope is [`Scope::Fleet`](crate::Scope::Fleet). Nothing is changed then.
    pub fn set_key_limit(&self, key: &str, limit: Option<usize>) -> Result<(), Unsupported> {
        self.engine.set_key_limit(&KeyName::Text(key.to_owned()), limit)
    }

    /// Returns the keys that have limits of their own, by name.
    #[must_use]
    pub fn key_limits(&self) -> Vec<KeyLimit> {
        self.engine.key_limits()
    }

    /// Checks that single keys can have limits of their own.
    ///
    /// # Errors
    ///
    /// The same as [`set_key_limit`](Self::set_key_limit).
    pub fn supports_key_limits(&self) -> Result<(), Unsupported> {
        self.engine.supports_key_limits()
    }
}
