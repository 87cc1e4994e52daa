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
    source: Source<T>,
}

/// The key as the semaphore knows it.
#[derive(Clone)]
enum Source<T> {
    Value(Hashed<T>),
    /// The text of the key, which all processes of a fleet know it by.
    Text(Hashed<String>),
}

impl<T: Hash> Key<T> {
    pub(crate) fn new(key: T) -> Self {
        // Hashed here, under no lock: `Hash` of a key is foreign code.
        Self { source: Source::Value(hashed(key)) }
    }
}

impl<T> Key<T> {
    pub(crate) fn from_text(text: String) -> Self {
        Self { source: Source::Text(hashed(text)) }
    }
}

#[cfg(feature = "fleet")]
impl Key<String> {
    /// Returns the text of a key that was made of one.
    pub(crate) fn text(&self) -> &str {
        match &self.source {
            Source::Value(hashed) | Source::Text(hashed) => &hashed.key,
        }
    }
}

fn hashed<T: Hash>(key: T) -> Hashed<T> {
    Hashed { hash: HASHER.hash_one(&key), key }
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
    use super::{Key, KeySource, Source, Unkeyed};

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
            match &self.source {
                Source::Value(hashed) => Some(hashed),
                Source::Text(hashed) => Some(hashed),
            }
        }
    }
}
