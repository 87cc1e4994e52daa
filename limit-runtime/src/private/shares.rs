//! Calls that belong to a share of a limiter's permits.

use super::keys::HasNoKeys;
use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::keying::{InShare, Unkeyed};
use crate::limiter::Limiter;
use crate::recorder::CallSite;

/// Implemented for the kind of a limiter that may have shares.
#[diagnostic::on_unimplemented(
    message = "the attribute has a `share`, and the limit of this limiter holds for each key",
    label = "a limiter with keys",
    note = "a call has a share or a key: write `key = …` in place of `share`"
)]
pub trait MayHaveShares: HasNoKeys {}

// Marked, or the compiler would list the one type that has the trait.
#[diagnostic::do_not_recommend]
impl MayHaveShares for Unkeyed {}

/// Returns the share with a name.
#[inline]
pub fn find_share<E: Admission, K: MayHaveShares>(
    limiter: &Limiter<E, K>,
    name: &(impl AsRef<str> + ?Sized),
) -> InShare {
    K::without_keys(limiter).find_share(name.as_ref())
}

/// Does the same as [`Limiter::share`] and its `acquire`, for a body that has no name for the permit.
#[inline]
#[track_caller]
pub fn acquire_in_share<E: Admission, K: HasNoKeys>(
    limiter: &Limiter<E, K>,
    share: InShare,
) -> Acquire<'_, E, InShare> {
    acquire_permit_in_share(limiter, share).of_body()
}

/// Does the same, for a body that has a name for the permit.
#[inline]
#[track_caller]
pub fn acquire_permit_in_share<E: Admission, K: HasNoKeys>(
    limiter: &Limiter<E, K>,
    share: InShare,
) -> Acquire<'_, E, InShare> {
    K::without_keys(limiter).acquire_in_share(share, CallSite::caller())
}
