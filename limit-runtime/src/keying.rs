//! The second type parameter of a limiter: whether its limit holds for each key.

use crate::semaphore::{Hashed, KeySource};
use once_cell::sync::Lazy;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

static HASHER: Lazy<RandomState> = Lazy::new(RandomState::new);

/// Marks a [`Limiter`](crate::Limiter) whose limit holds for all calls together.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Unkeyed;

/// Marks a [`Limiter`](crate::Limiter) whose limit holds for each key. See
/// [`Limiter::keyed`](crate::Limiter::keyed).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Keyed;

/// The key of a call, made by [`Limiter::key`](crate::Limiter::key).
#[derive(Clone)]
pub struct Key<T> {
    hashed: Hashed<T>,
}

impl<T: Hash> Key<T> {
    pub(crate) fn new(key: T) -> Self {
        // Hashed here, under no lock: `Hash` of a key is foreign code.
        Self { hashed: Hashed { hash: HASHER.hash_one(&key), key } }
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// The key of a call, or none. Sealed: only [`Unkeyed`] and [`Key`] implement the trait.
pub trait Keying: sealed::Keying {}

impl Keying for Unkeyed {}
impl<T: Eq + Clone + Send + 'static> Keying for Key<T> {}

pub(crate) mod sealed {
    use super::{Key, KeySource, Unkeyed};

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    pub trait Keying {
        /// `true` if a permit may be taken without a look at the keys.
        const MAY_BE_FREE: bool;

        fn source(&self) -> Option<&dyn KeySource>;
    }

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    impl Keying for Unkeyed {
        const MAY_BE_FREE: bool = true;

        #[inline]
        fn source(&self) -> Option<&dyn KeySource> {
            None
        }
    }

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    impl<T: Eq + Clone + Send + 'static> Keying for Key<T> {
        const MAY_BE_FREE: bool = false;

        fn source(&self) -> Option<&dyn KeySource> {
            Some(&self.hashed)
        }
    }
}
