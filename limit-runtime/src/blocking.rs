//! Blocking work, with the permit beside it.

use crate::permit::Permit;
use std::panic::resume_unwind;

/// Runs work on tokio's blocking pool. It has the permit: unless it moves it elsewhere, the permit
/// goes when the work is done.
///
/// # Panics
///
/// If the work does, and if the runtime shuts down before it began.
pub async fn run<T: Send + 'static>(
    permit: Permit,
    work: impl FnOnce(&mut Option<Permit>) -> T + Send + 'static,
) -> T {
    let mut permit = Some(permit);
    let task = tokio::task::spawn_blocking(move || work(&mut permit));
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => panic!("the runtime was shut down before the work began: {error}"),
        },
    }
}
