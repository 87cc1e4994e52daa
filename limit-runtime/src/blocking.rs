//! Blocking work, with the permit beside it.

use crate::permit::Permit;
use std::panic::resume_unwind;

/// Runs work on tokio's blocking pool. The permit is the work's own: unless it moves it elsewhere, it
/// goes when the work is done, whether or not somebody waits for that.
///
/// # Panics
///
/// If the work does, and if the runtime shuts down before it began.
pub async fn run<T: Send + 'static>(
    permit: Permit,
    work: impl FnOnce(Permit) -> T + Send + 'static,
) -> T {
    let task = tokio::task::spawn_blocking(move || work(permit));
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => panic!("the runtime was shut down before the work began: {error}"),
        },
    }
}
