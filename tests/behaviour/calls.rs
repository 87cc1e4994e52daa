//! Calls of limiters with a policy, polled by hand.

use limit_runtime::{Admission, Event, EventKind, Figures, Limiter, Permit, Rejected};
use std::future::Future;
use std::task::Poll;
use tokio::sync::broadcast::Receiver;
use tokio_test::task::{self, Spawn};

/// What a call gives that does not wait.
#[track_caller]
pub(crate) fn at_once<F: Future>(call: F) -> F::Output {
    match task::spawn(call).poll() {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call waits"),
    }
}

/// The permit of a call that could be refused, and is let in at once.
#[track_caller]
pub(crate) fn let_in(call: impl Future<Output = Result<Permit, Rejected>>) -> Permit {
    at_once(call).expect("the call is let in")
}

/// Why a call is refused at once.
#[track_caller]
pub(crate) fn refused<T>(call: impl Future<Output = Result<T, Rejected>>) -> Rejected {
    match at_once(call) {
        Ok(_) => panic!("the call is let in"),
        Err(rejected) => rejected,
    }
}

/// Those who have been woken or are ready, with what they give; the others stay.
pub(crate) fn ready<F: Future>(calls: &mut Vec<(usize, Spawn<F>)>) -> Vec<(usize, F::Output)> {
    let mut outputs = Vec::new();
    calls.retain_mut(|(number, call)| match call.is_woken().then(|| call.poll()) {
        Some(Poll::Ready(output)) => {
            outputs.push((*number, output));
            false
        }
        _ => true,
    });
    outputs
}

/// The figures of a limiter of any kind.
pub(crate) fn figures<E: Admission, K>(limiter: &Limiter<E, K>) -> Figures {
    limiter.snapshot().total
}

/// Asserts how many permits are out and how many calls wait.
#[track_caller]
pub(crate) fn assert_busy<E: Admission, K>(limiter: &Limiter<E, K>, in_use: usize, waiting: usize) {
    let figures = figures(limiter);
    assert_eq!(
        (figures.in_use, figures.waiting),
        (in_use, waiting),
        "in use and waiting: {figures}"
    );
}

/// Asserts that exactly as many permits are free as the limit says and that nobody waits. Of a
/// limiter whose calls weigh 1 and whose permits come back at once.
#[track_caller]
pub(crate) fn assert_whole<E: Admission>(limiter: &Limiter<E>) {
    assert_busy(limiter, 0, 0);
    let limit = limiter.limit();
    let permits: Vec<_> = (0..limit)
        .map(|taken| {
            limiter.try_acquire().unwrap_or_else(|_| panic!("{taken} of {limit} permits are free"))
        })
        .collect();
    limiter.try_acquire().expect_err("no more permits than the limit are free");
    drop(permits);
    assert_busy(limiter, 0, 0);
}

/// The events that have come since this was asked last: what, in use, waiting.
pub(crate) fn heard(events: &mut Receiver<Event>) -> Vec<(EventKind, usize, usize)> {
    std::iter::from_fn(|| events.try_recv().ok())
        .map(|event| (event.kind, event.in_use, event.waiting))
        .collect()
}
