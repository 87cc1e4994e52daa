//! The second type parameter of a limiter: whether its limit holds for each key.

use crate::semaphore::{Hashed, Held, KeyName, KeySource, Semaphore, ShareNumber, text_of_key};
use once_cell::sync::Lazy;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

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

/// The share of a call, made by [`Limiter::share`](crate::Limiter::share).
#[derive(Clone, Copy, Debug)]
pub struct InShare {
    number: ShareNumber,
}

impl InShare {
    /// Makes the share with a number.
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 16 shares")]
    pub(crate) fn new(number: usize) -> Self {
        Self { number: ShareNumber(number as u32) }
    }
}

/// The share of a call, or none, for code that makes calls of both kinds.
#[cfg(any(feature = "task", feature = "tower"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaybeShare(pub(crate) Option<InShare>);

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
    /// Notes the weight that the call gives its key: at least 1.
    pub(crate) fn set_weight(&mut self, weight: u32) {
        let weight = weight.max(1);
        match &mut self.source {
            Source::Value(hashed) => hashed.weight = weight,
            Source::Text(hashed) => hashed.weight = weight,
        }
    }

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
    Hashed { hash: HASHER.hash_one(&key), weight: 0, key }
}

/// Returns the name by which the own limit of a key is known.
pub(crate) fn key_name<T: Hash + Eq + Send + Sync + 'static>(key: T) -> KeyName {
    match text_of_key(&key) {
        Some(text) => KeyName::Text(text),
        None => KeyName::Value(Arc::new(hashed(key))),
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// The key of a call, its share, or neither. Sealed: only [`Unkeyed`], [`Key`] and [`InShare`] implement the trait.
pub trait Keying: sealed::Keying {}

impl Keying for Unkeyed {}
impl Keying for InShare {}
#[cfg(any(feature = "task", feature = "tower"))]
impl Keying for MaybeShare {}
impl<T: Eq + Clone + Send + 'static> Keying for Key<T> {}

pub(crate) mod sealed {
    use super::{Held, InShare, Key, KeySource, Semaphore, Source, Unkeyed};

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    pub trait Keying {
        fn source(&self) -> Option<&dyn KeySource>;

        /// Takes permits on the fast path, of a fleet's lease or not. `still_ours` is as for the semaphore.
        fn take_free(
            &self,
            semaphore: &'static Semaphore,
            weight: u32,
            is_leased: bool,
            still_ours: impl Fn() -> bool,
        ) -> Option<Held>;
    }

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    impl Keying for Unkeyed {
        #[inline]
        fn source(&self) -> Option<&dyn KeySource> {
            None
        }

        #[inline]
        fn take_free(
            &self,
            semaphore: &'static Semaphore,
            weight: u32,
            is_leased: bool,
            still_ours: impl Fn() -> bool,
        ) -> Option<Held> {
            if is_leased {
                semaphore.try_acquire_leased(weight, still_ours)
            } else {
                semaphore.try_acquire(weight, still_ours)
            }
        }
    }

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    impl Keying for InShare {
        fn source(&self) -> Option<&dyn KeySource> {
            Some(&self.number)
        }

        #[inline]
        fn take_free(
            &self,
            semaphore: &'static Semaphore,
            weight: u32,
            is_leased: bool,
            still_ours: impl Fn() -> bool,
        ) -> Option<Held> {
            // With shares SLOW is set, and the word admits nobody.
            Unkeyed.take_free(semaphore, weight, is_leased, still_ours)
        }
    }

    #[cfg(any(feature = "task", feature = "tower"))]
    impl Keying for super::MaybeShare {
        #[inline]
        fn source(&self) -> Option<&dyn KeySource> {
            self.0.as_ref().and_then(InShare::source)
        }

        #[inline]
        fn take_free(
            &self,
            semaphore: &'static Semaphore,
            weight: u32,
            is_leased: bool,
            still_ours: impl Fn() -> bool,
        ) -> Option<Held> {
            // As with a share, the word admits nobody where it counts.
            Unkeyed.take_free(semaphore, weight, is_leased, still_ours)
        }
    }

    #[expect(private_interfaces, reason = "nobody else can name or implement the trait")]
    impl<T: Eq + Clone + Send + 'static> Keying for Key<T> {
        fn source(&self) -> Option<&dyn KeySource> {
            match &self.source {
                Source::Value(hashed) => Some(hashed),
                Source::Text(hashed) => Some(hashed),
            }
        }

        #[inline]
        fn take_free(
            &self,
            semaphore: &'static Semaphore,
            weight: u32,
            _: bool,
            still_ours: impl Fn() -> bool,
        ) -> Option<Held> {
            match &self.source {
                Source::Value(hashed) => semaphore.try_acquire_of_key(weight, hashed, still_ours),
                // Its permits are a fleet's, which are not taken here.
                Source::Text(_) => None,
            }
        }
    }
}
