//! Calls that a test polls by hand.

use limit_runtime::{Limiter, Permit, Rejected};
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready};

/// Polls a call once and asserts that it waits.
#[track_caller]
pub fn waiter<F: Future>(future: F) -> Spawn<F> {
    let mut call = task::spawn(future);
    assert!(call.poll().is_pending(), "the call waits");
    call
}

/// Returns the output of a call that does not wait.
#[track_caller]
pub fn at_once<F: Future>(call: F) -> F::Output {
    match task::spawn(call).poll() {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call waits"),
    }
}

/// Takes a permit that is free.
#[track_caller]
pub fn permit(limiter: &Limiter) -> Permit {
    let mut call = task::spawn(limiter.acquire());
    assert_ready!(call.poll(), "a permit is free")
}

/// Returns the permit of a call that could be refused and is admitted at once.
#[track_caller]
pub fn let_in(call: impl Future<Output = Result<Permit, Rejected>>) -> Permit {
    at_once(call).expect("the call is admitted")
}

/// Returns the refusal of a call that is refused at once.
#[track_caller]
pub fn refused<T>(call: impl Future<Output = Result<T, Rejected>>) -> Rejected {
    match at_once(call) {
        Ok(_) => panic!("the call is admitted"),
        Err(rejected) => rejected,
    }
}

/// Returns the output of a waiter that has been woken.
#[track_caller]
pub fn served<F: Future>(call: &mut Spawn<F>) -> F::Output {
    assert!(call.is_woken(), "the waiter was woken");
    assert_ready!(call.poll(), "the waiter was served")
}

/// Asserts that a waiter still waits and was not woken in vain.
#[track_caller]
pub fn assert_waits<F: Future>(call: &mut Spawn<F>)
where
    F::Output: Debug,
{
    assert!(!call.is_woken(), "the waiter was woken");
    assert_pending!(call.poll());
}

/// Removes the calls that have been woken and are ready; returns their numbers and outputs.
pub fn ready<F: Future>(calls: &mut Vec<(usize, Spawn<F>)>) -> Vec<(usize, F::Output)> {
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

/// Polls a future once with the waker of the current task; returns its output, if it has one.
pub async fn poll_once<F: Future + ?Sized>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
