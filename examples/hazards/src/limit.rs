//! A limit of one call, in two forms.

use limit_runtime::{Limiter, Permit};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A semaphore written by hand, or a limiter. So each program is written once.
pub(crate) trait Limit: Sync {
    type Permit: Send;

    /// Waits for the permit.
    fn acquire(&'static self) -> impl Future<Output = Self::Permit> + Send;
}

impl Limit for Semaphore {
    type Permit = SemaphorePermit<'static>;

    async fn acquire(&'static self) -> Self::Permit {
        Self::acquire(self).await.expect("nobody closes it")
    }
}

impl Limit for Limiter {
    type Permit = Permit;

    // The place of a call is that of its caller.
    #[track_caller]
    fn acquire(&'static self) -> impl Future<Output = Permit> + Send {
        Self::acquire(self)
    }
}
