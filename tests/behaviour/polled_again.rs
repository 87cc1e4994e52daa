//! An `Acquire` that is polled again after it was ready.

use limit_runtime::Limiter;
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{let_in, permit};
use std::fmt::Debug;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::advance;

fn poll<F: Future + Unpin>(call: &mut F) -> Poll<F::Output> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns the output of a call that is ready.
#[track_caller]
fn ready<F: Future + Unpin>(call: &mut F) -> F::Output {
    match poll(call) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call waits"),
    }
}

/// Asserts that a call that was ready panics, each time that it is polled.
#[track_caller]
fn assert_panics<F: Future + Unpin>(limiter: &str, call: &mut F)
where
    F::Output: Debug,
{
    for _ in 0..2 {
        let panic = catch_unwind(AssertUnwindSafe(|| poll(call))).expect_err("it was ready");
        let message = panic.downcast_ref::<String>().expect("it says why");
        assert_eq!(
            *message,
            format!("`Acquire` of concurrency limit `{limiter}` polled after it was ready")
        );
    }
}

#[test]
fn a_call_that_found_a_permit_free_panics_and_takes_no_other() {
    let limiter = Limiter::new("polled-again-free", 2);
    let mut call = limiter.acquire();
    let permit = ready(&mut call);
    assert_panics("polled-again-free", &mut call);
    assert_figures(&limiter, 1, 0);
    drop(call);
    assert_figures(&limiter, 1, 0);
    drop(permit);
    assert_panics("polled-again-free", &mut limiter_call_that_gave_back(&limiter));
    assert_all_free(&limiter);
}

/// Returns a call that was ready and whose permit is back.
fn limiter_call_that_gave_back(limiter: &Limiter) -> impl Future<Output: Debug> + Unpin {
    let mut call = limiter.acquire();
    drop(ready(&mut call));
    call
}

#[test]
fn a_call_that_waited_panics_and_takes_no_other_permit() {
    let limiter = Limiter::new("polled-again-waited", 1);
    let held = permit(&limiter);
    let mut call = limiter.acquire();
    assert!(poll(&mut call).is_pending());
    drop(held);
    let granted = ready(&mut call);
    assert_panics("polled-again-waited", &mut call);
    drop(granted);
    assert_panics("polled-again-waited", &mut call);
    drop(call);
    let figures = total(&limiter);
    assert_eq!((figures.admitted_at_once, figures.admitted_after_waiting), (1, 1));
    assert_eq!(figures.cancelled, 0);
    assert_all_free(&limiter);
}

#[test]
fn a_call_of_the_slow_path_that_did_not_wait_panics() {
    let keyed = Limiter::new("polled-again-keyed", 2).keyed();
    let mut call = keyed.key(1).acquire();
    let permit = ready(&mut call);
    assert_panics("polled-again-keyed", &mut call);
    drop(permit);
    assert_figures(&keyed, 0, 0);

    let disabled = Limiter::new("polled-again-disabled", 1).enabled(false);
    let mut call = disabled.acquire();
    drop(ready(&mut call));
    assert_panics("polled-again-disabled", &mut call);
    assert_eq!(total(&disabled).admitted_at_once, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_refused_panics_and_is_refused_once() {
    let limiter = Limiter::new("polled-again-refused", 1).max_waiting(1);
    let held = let_in(limiter.acquire());
    let mut waits = limiter.acquire().max_wait(Duration::from_millis(5));
    assert!(poll(&mut waits).is_pending());
    let mut full = limiter.acquire();
    ready(&mut full).expect_err("the queue is full");
    advance(Duration::from_millis(5)).await;
    ready(&mut waits).expect_err("its time is up");
    let mut closed = limiter.acquire();
    assert!(poll(&mut closed).is_pending());
    limiter.close();
    ready(&mut closed).expect_err("it is closed");
    limiter.reopen();
    drop(held);
    // A permit is free now: it is not for these calls.
    for call in [&mut full, &mut waits, &mut closed] {
        assert_panics("polled-again-refused", call);
    }
    let rejected = total(&limiter).rejected;
    assert_eq!((rejected.queue_full, rejected.timed_out, rejected.closed), (1, 1, 1));
    assert_eq!((rejected.total(), total(&limiter).admitted_at_once), (3, 1));
    assert_all_free(&limiter);
}
