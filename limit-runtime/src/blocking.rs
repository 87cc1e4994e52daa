//! Blocking work that owns its permit.

use crate::permit::Permit;
use std::panic::resume_unwind;

/// Runs work on tokio's blocking pool. The work owns the permit. Unless the work moves the permit
/// elsewhere, the permit comes back when the work is done, also if no caller waits for that.
///
/// # Panics
///
/// If the work panics, and if the runtime shuts down before the work began.
pub(crate) async fn run<T: Send + 'static>(
    permit: Permit,
    work: impl FnOnce(Permit) -> T + Send + 'static,
) -> T {
    permit.hand_over();
    let task = tokio::task::spawn_blocking(move || {
        let _working = permit.working();
        work(permit)
    });
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => panic!("the runtime was shut down before the work began: {error}"),
        },
    }
}
