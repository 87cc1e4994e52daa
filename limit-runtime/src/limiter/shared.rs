//! A limiter that several parts of a program own.

#[cfg(any(feature = "task", feature = "tower"))]
mod acquire;

use super::Limiter;
use crate::admission::Admission;
#[cfg(feature = "tower")]
pub(crate) use acquire::AcquireShared;
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A limiter that several owners share: a `static` one, or one in an [`Arc`].
///
/// Types that keep a limiter take `impl Into<SharedLimiter>`: `&STATIC`, an `Arc<Limiter>`, or a
/// `Limiter`. All clones refer to the same limiter.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, SharedLimiter};
/// use std::sync::Arc;
///
/// static DB: Limiter = Limiter::new("shared-example", 4);
///
/// let of_static = SharedLimiter::from(&DB);
/// let of_arc = SharedLimiter::from(Arc::new(Limiter::new("in an arc", 2)));
/// assert_eq!((of_static.limit(), of_arc.limit()), (Some(4), Some(2)));
/// ```
pub struct SharedLimiter<E: Admission = Infallible>(Shared<E>);

enum Shared<E: Admission> {
    Static(&'static Limiter<E>),
    Counted(Arc<Limiter<E>>),
}

impl<E: Admission> Deref for SharedLimiter<E> {
    type Target = Limiter<E>;

    fn deref(&self) -> &Limiter<E> {
        match &self.0 {
            Shared::Static(limiter) => limiter,
            Shared::Counted(limiter) => limiter,
        }
    }
}

impl<E: Admission> From<&'static Limiter<E>> for SharedLimiter<E> {
    fn from(limiter: &'static Limiter<E>) -> Self {
        Self(Shared::Static(limiter))
    }
}

impl<E: Admission> From<Arc<Limiter<E>>> for SharedLimiter<E> {
    fn from(limiter: Arc<Limiter<E>>) -> Self {
        Self(Shared::Counted(limiter))
    }
}

impl<E: Admission> From<&Arc<Limiter<E>>> for SharedLimiter<E> {
    fn from(limiter: &Arc<Limiter<E>>) -> Self {
        Self(Shared::Counted(Arc::clone(limiter)))
    }
}

impl<E: Admission> From<Limiter<E>> for SharedLimiter<E> {
    fn from(limiter: Limiter<E>) -> Self {
        Self::from(Arc::new(limiter))
    }
}

impl<E: Admission> Clone for SharedLimiter<E> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Shared::Static(limiter) => Shared::Static(limiter),
            Shared::Counted(limiter) => Shared::Counted(Arc::clone(limiter)),
        })
    }
}

impl<E: Admission> fmt::Debug for SharedLimiter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
