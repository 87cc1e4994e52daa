//! Calls to an existing limiter, with a key or without, as its type wants.

use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::keying::{Key, Keyed, Unkeyed};
use crate::limiter::Limiter;
use std::hash::Hash;

/// Does the same as [`Limiter::acquire`], for a body that has no name for the permit. Of a limiter with keys the
/// compiler says that the attribute lacks one.
#[inline]
#[track_caller]
pub fn acquire<E: Admission, K: HasNoKeys>(limiter: &Limiter<E, K>) -> Acquire<'_, E> {
    acquire_permit(limiter).of_body()
}

/// Does the same as [`Limiter::acquire`], for a body that has a name for the permit.
#[inline]
#[track_caller]
pub fn acquire_permit<E: Admission, K: HasNoKeys>(limiter: &Limiter<E, K>) -> Acquire<'_, E> {
    K::without_keys(limiter).acquire()
}

/// Does the same as [`KeyedLimiter::key`](crate::KeyedLimiter::key) and its `acquire`, for a body that has no name
/// for the permit. Of a limiter without keys the compiler says so.
#[inline]
#[track_caller]
pub fn acquire_for_key<E: Admission, K: HasKeys, T: Hash + Eq + Clone + Send + 'static>(
    limiter: &Limiter<E, K>,
    key: T,
) -> Acquire<'_, E, Key<T>> {
    acquire_permit_for_key(limiter, key).of_body()
}

/// Does the same, for a body that has a name for the permit.
#[inline]
#[track_caller]
pub fn acquire_permit_for_key<E: Admission, K: HasKeys, T: Hash + Eq + Clone + Send + 'static>(
    limiter: &Limiter<E, K>,
    key: T,
) -> Acquire<'_, E, Key<T>> {
    K::with_keys(limiter).key(key).acquire()
}

/// Implemented for the kind of a limiter whose limit holds for all calls together.
#[diagnostic::on_unimplemented(
    message = "the limit of this limiter holds for each key, and the attribute has no `key`",
    label = "a limiter with keys",
    note = "add `key = …`, such as `key = tenant`, to the attribute"
)]
pub trait HasNoKeys: Sized {
    /// Returns the limiter with its type spelt out.
    fn without_keys<E: Admission>(limiter: &Limiter<E, Self>) -> &Limiter<E, Unkeyed>;
}

// Marked, or the compiler would list the one type that has the trait.
#[diagnostic::do_not_recommend]
impl HasNoKeys for Unkeyed {
    #[inline]
    fn without_keys<E: Admission>(limiter: &Limiter<E, Self>) -> &Limiter<E, Unkeyed> {
        limiter
    }
}

/// Implemented for the kind of a limiter whose limit holds for each key.
#[diagnostic::on_unimplemented(
    message = "the attribute has a `key`, and the limit of this limiter holds for all calls together",
    label = "a limiter without keys",
    note = "make it `static LIMITER: KeyedLimiter = Limiter::new(…).keyed()`, or leave `key` out"
)]
pub trait HasKeys: Sized {
    /// Returns the limiter with its type spelt out.
    fn with_keys<E: Admission>(limiter: &Limiter<E, Self>) -> &Limiter<E, Keyed>;
}

#[diagnostic::do_not_recommend]
impl HasKeys for Keyed {
    #[inline]
    fn with_keys<E: Admission>(limiter: &Limiter<E, Self>) -> &Limiter<E, Keyed> {
        limiter
    }
}
