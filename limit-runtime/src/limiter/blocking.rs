//! Blocking work under a limit.

use super::{ForKey, ForShare, Limiter};
use crate::acquire::Acquire;
use crate::admission::Admission;
use crate::blocking::{WorkPermit, run};
use crate::keying::{Key, Keying};
use crate::permit::Permit;
use crate::tokio_context::panic_outside;
use tokio::runtime::Handle;

impl<E: Admission> Limiter<E> {
    /// Takes a permit, then runs blocking work on tokio's blocking pool under it.
    ///
    /// The permit stays with the work until the work ends, also if the caller is dropped meanwhile.
    /// So at most `limit` threads of the pool run such work. A panic of the work goes on in the
    /// caller.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it waits for the permit, the work is dropped too. Work that
    /// has been handed to the pool is not cancelled.
    ///
    /// # Errors
    ///
    /// The refusal, if the limiter can refuse calls. The work is then dropped.
    ///
    /// # Panics
    ///
    /// If the work panics, outside a tokio runtime, and if the runtime shuts down before the work
    /// began.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::Limiter;
    ///
    /// static HASHES: Limiter = Limiter::new("blocking-example", 4);
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let text = String::from("a long password");
    /// let letters = HASHES.blocking(move || text.len()).await;
    /// assert_eq!(letters, 15);
    /// # }
    /// ```
    #[track_caller]
    pub fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = E::Outcome<T>> {
        blocking(self.acquire(), work)
    }
}

impl<T: Eq + Clone + Send + 'static, E: Admission> ForKey<'_, T, E>
where
    Key<T>: Keying,
{
    /// Does the same as [`Limiter::blocking`], with a permit of this key.
    ///
    /// # Errors
    ///
    /// The refusal, if the limiter can refuse calls. The work is then dropped.
    ///
    /// # Panics
    ///
    /// If the work panics, outside a tokio runtime, and if the runtime shuts down before the work
    /// began.
    #[track_caller]
    pub fn blocking<R: Send + 'static>(
        self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> impl Future<Output = E::Outcome<R>> {
        blocking(self.acquire(), work)
    }
}

impl<E: Admission> ForShare<'_, E> {
    /// Does the same as [`Limiter::blocking`], with a permit for a call of this share.
    ///
    /// # Errors
    ///
    /// The refusal, if the limiter can refuse calls. The work is then dropped.
    ///
    /// # Panics
    ///
    /// If the work panics, outside a tokio runtime, and if the runtime shuts down before the work
    /// began.
    #[track_caller]
    pub fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = E::Outcome<T>> {
        blocking(self.acquire(), work)
    }
}

async fn blocking<T: Send + 'static, E: Admission, K: Keying>(
    acquire: Acquire<'_, E, K>,
    work: impl FnOnce() -> T + Send + 'static,
) -> E::Outcome<T> {
    E::outcome(match E::result(acquire.of_polled().await) {
        Ok(permit) => Ok(run_blocking(permit, |_permit| work()).await),
        Err(refused) => Err(refused),
    })
}

/// Runs work on tokio's blocking pool, with the permit.
///
/// # Panics
///
/// If the work panics, if the runtime shuts down before the work begins, and outside a tokio
/// runtime.
pub async fn run_blocking<P: WorkPermit, T: Send + 'static>(
    permit: P,
    work: impl FnOnce(P) -> T + Send + 'static,
) -> T {
    if Handle::try_current().is_err() {
        let limiter = permit.permits().iter().find_map(Permit::limiter);
        panic_outside("blocking", limiter.as_ref().map_or("(unknown)", |limiter| limiter.name()));
    }
    run(permit, work).await
}
