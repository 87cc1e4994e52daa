//! Blocking work that owns its permit.

use crate::permit::{AllPermits, Permit};
use crate::recorder::Polling;
use std::panic::resume_unwind;

/// A permit under which work runs, or those of several limiters. Sealed.
pub trait WorkPermit: sealed::WorkPermit {}

impl WorkPermit for Permit {}
impl<const N: usize> WorkPermit for AllPermits<N> {}

pub(crate) mod sealed {
    use super::{AllPermits, Permit};

    pub trait WorkPermit: Send + 'static {
        fn permits(&self) -> &[Permit];
    }

    impl WorkPermit for Permit {
        fn permits(&self) -> &[Permit] {
            std::slice::from_ref(self)
        }
    }

    impl<const N: usize> WorkPermit for AllPermits<N> {
        fn permits(&self) -> &[Permit] {
            self.permits()
        }
    }
}

/// The time in which work runs under permits. It ends for the last permit first, as it began for that last.
struct Working(Vec<Polling>);

impl Drop for Working {
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

/// Runs work on tokio's blocking pool. The work owns the permit. Unless the work moves the permit
/// elsewhere, the permit comes back when the work is done, also if no caller waits for that.
///
/// # Panics
///
/// If the work panics, and if the runtime shuts down before the work began.
pub(crate) async fn run<P: WorkPermit, T: Send + 'static>(
    permit: P,
    work: impl FnOnce(P) -> T + Send + 'static,
) -> T {
    permit.permits().iter().for_each(Permit::hand_over);
    let task = tokio::task::spawn_blocking(move || {
        // One permit needs no memory here.
        let mut permits = permit.permits().iter();
        let _first = permits.next().map(Permit::working);
        let _others = Working(permits.map(Permit::working).collect());
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
