//! Wakers that panic: whoever waits besides is served all the same.

use crate::support::{assert_all_free, one_thread, served, waiter};
use limit_runtime::Limiter;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::thread;
use tokio_test::task::{Spawn, spawn};

/// Foreign code of the worst kind.
pub(crate) fn panicking() -> Waker {
    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }

    Waker::from(Arc::new(Panics))
}

#[test]
fn all_who_fit_are_woken_although_some_wakers_panic() {
    let waker = panicking();
    let limiter = Limiter::new("resize-panics", 0);
    let mut panicking: Vec<_> = (0..2).map(|_| Box::pin(limiter.acquire())).collect();
    let mut waiters = Vec::new();
    for call in &mut panicking {
        waiters.push(waiter(limiter.acquire()));
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    waiters.push(waiter(limiter.acquire()));
    assert!(catch_unwind(AssertUnwindSafe(|| limiter.set_limit(5))).is_err());
    assert!(waiters.iter().all(Spawn::is_woken));
    drop((waiters, panicking));
    assert_all_free(&limiter);
}

#[test]
fn each_runtime_hears_of_a_change_although_a_waker_of_another_panics() {
    let runtimes = [one_thread(), one_thread()];
    // Whichever is told first.
    for place in [0, 1] {
        let limiter = Limiter::named(format!("resize-panics-in-{place}"), 0);
        let mut first = pin!(limiter.acquire());
        runtimes[place].block_on(async {
            let polled = first.as_mut().poll(&mut Context::from_waker(&panicking()));
            assert!(polled.is_pending());
        });
        let entered = runtimes[1 - place].enter();
        let mut waiter = waiter(limiter.acquire());
        drop(entered);
        assert!(catch_unwind(AssertUnwindSafe(|| limiter.set_limit(1))).is_err());
        assert!(waiter.is_woken(), "{place}");
        drop(served(&mut waiter));
    }
}

/// More than are woken at one time.
const MANY: usize = 200;

#[test]
fn everybody_hears_that_the_runtime_has_ended() {
    let limiters =
        ["panicking-ends-first", "panicking-ends-second"].map(|name| Limiter::new(name, 0));
    let runtime = one_thread();
    let entered = runtime.enter();
    let mut panicking_calls: Vec<_> =
        limiters.iter().map(|limiter| Box::pin(limiter.acquire())).collect();
    for call in &mut panicking_calls {
        assert!(call.as_mut().poll(&mut Context::from_waker(&panicking())).is_pending());
    }
    let waiters: Vec<_> =
        limiters.iter().flat_map(|limiter| (0..MANY).map(|_| waiter(limiter.acquire()))).collect();
    drop(entered);
    // tokio keeps the panic of a task that it drops.
    drop(runtime);
    assert!(waiters.iter().all(Spawn::is_woken));
}

#[test]
fn everybody_hears_that_the_limit_was_found_out() {
    static ASKED: Barrier = Barrier::new(2);
    static FOUND: Barrier = Barrier::new(2);

    let limiter = Limiter::lazy("panicking-lazy", || {
        ASKED.wait();
        FOUND.wait();
        2 * MANY
    });
    thread::scope(|scope| {
        let first = scope.spawn(|| drop(spawn(limiter.acquire()).poll()));
        ASKED.wait();
        let mut panicking_call = pin!(limiter.acquire());
        let polled = panicking_call.as_mut().poll(&mut Context::from_waker(&panicking()));
        assert!(polled.is_pending());
        let waiters: Vec<_> = (0..MANY).map(|_| waiter(limiter.acquire())).collect();
        FOUND.wait();
        first.join().expect_err("it has woken the one that panics");
        assert!(waiters.iter().all(Spawn::is_woken));
    });
    assert_all_free(&limiter);
}
