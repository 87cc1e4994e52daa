//! Why a call was not let in.

use crate::semaphore::Refusal;
use std::fmt;
use std::sync::Arc;

/// Why a call was not let in: its kind, the limiter's name, and the figures at that moment.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, RejectedKind};
///
/// let uploads = Limiter::new("uploads", 1);
/// let _permit = uploads.try_acquire()?;
/// let rejected = uploads.try_acquire().unwrap_err();
/// assert_eq!(rejected.kind(), RejectedKind::QueueFull);
/// assert_eq!(
///     rejected.to_string(),
///     "concurrency limit `uploads` reached: 1 of 1 permits in use, 0 waiting",
/// );
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[derive(Clone)]
pub struct Rejected {
    // A pointer, so that a `Result<_, Rejected>` in a user's future stays small.
    details: Arc<Details>,
}

struct Details {
    limiter: Arc<str>,
    weight: u32,
    refusal: Refusal,
}

/// The kinds of [`Rejected`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum RejectedKind {
    /// No permit was free, or others were waiting for one, and the call could not wait.
    QueueFull,
    /// The call wanted more permits than the limit: it could never have been served.
    TooHeavy,
}

impl Rejected {
    pub(crate) fn new(limiter: Arc<str>, weight: u32, refusal: Refusal) -> Self {
        Self { details: Arc::new(Details { limiter, weight, refusal }) }
    }

    /// Which kind of reason.
    #[must_use]
    pub fn kind(&self) -> RejectedKind {
        if self.details.refusal.too_heavy {
            RejectedKind::TooHeavy
        } else {
            RejectedKind::QueueFull
        }
    }

    /// The limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.details.limiter
    }

    /// The permits that the call wanted.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.details.weight
    }

    /// The limit at that moment.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.details.refusal.limit as usize
    }

    /// The permits in use at that moment.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.details.refusal.in_use as usize
    }

    /// The calls that waited at that moment.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.details.refusal.waiting
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { limiter, weight, refusal: Refusal { limit, in_use, waiting, .. } } =
            &*self.details;
        match self.kind() {
            RejectedKind::QueueFull => write!(
                f,
                "concurrency limit `{limiter}` reached: {in_use} of {limit} permits in use, \
                 {waiting} waiting"
            ),
            RejectedKind::TooHeavy => write!(
                f,
                "call too heavy for concurrency limit `{limiter}`: {weight} permits wanted, \
                 the limit is {limit}"
            ),
        }
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("kind", &self.kind())
            .field("limiter", &self.limiter())
            .field("weight", &self.weight())
            .field("limit", &self.limit())
            .field("in_use", &self.in_use())
            .field("waiting", &self.waiting())
            .finish()
    }
}

impl std::error::Error for Rejected {}
