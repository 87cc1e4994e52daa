//! Wakers that panic: all other calls that wait are served.

use limit_runtime::{Limiter, Order, Permit};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{let_in, permit, served, waiter};
use limit_tests::runtimes::{one_thread, paused};
use limit_tests::wakers::panicking;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;
use tokio_test::task::{self, Spawn, spawn};

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
    // Both orders, because either runtime may be told first.
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

/// More calls than one batch of wakes has.
const MANY: usize = 200;

#[test]
fn however_many_are_served_at_once_all_are_woken_although_some_wakers_panic() {
    let all = u32::try_from(MANY).expect("it is a small number");
    // The panic is in the first batch of wakes, in another one, or in both.
    for panicking in [[0, 0], [70, 70], [0, 70], [70, MANY - 1]] {
        let limiter = Limiter::new("panicking-many", MANY);
        let held = let_in(limiter.acquire().weight(all));
        let mut others = Vec::new();
        let mut waiters = Vec::new();
        for number in 0..MANY {
            if panicking.contains(&number) {
                let mut call = Box::pin(limiter.acquire());
                wait_with_a_panicking_waker(call.as_mut());
                others.push(call);
            } else {
                waiters.push(waiter(limiter.acquire()));
            }
        }
        assert!(panics(|| drop(held)));
        assert!(waiters.iter().all(Spawn::is_woken), "{panicking:?}");
        drop((waiters, others));
        assert_all_free(&limiter);
    }
}

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

/// Polls a call with a waker that panics, and asserts that the call waits.
fn wait_with_a_panicking_waker(call: Pin<&mut impl Future>) {
    assert!(call.poll(&mut Context::from_waker(&panicking())).is_pending());
}

fn panics(code: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(code)).is_err()
}

#[test]
fn a_call_that_evicts_one_whose_waker_panics_is_not_left_in_the_queue() {
    let limiter = Limiter::new("panicking-evicted", 1).order(Order::Lifo).max_waiting(1);
    let held = let_in(limiter.acquire());
    let mut oldest = Box::pin(limiter.acquire());
    wait_with_a_panicking_waker(oldest.as_mut());
    let mut newest = task::spawn(limiter.acquire());
    assert!(panics(|| drop(newest.poll())));
    assert_figures(&limiter, 1, 0);
    drop((newest, oldest, held));
    assert_all_free(&limiter);
    assert_eq!(total(&limiter).cancelled, 1, "the call that the panic ended");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_before_one_whose_waker_panics_leaves_the_queue_once() {
    const SECOND: Duration = Duration::from_secs(1);
    let limiter = Limiter::new("panicking-timed-out", 2).max_wait(SECOND);
    let held = let_in(limiter.acquire());
    let mut heavy = task::spawn(limiter.acquire().weight(2));
    assert!(heavy.poll().is_pending());
    let mut light = Box::pin(limiter.acquire().max_wait(10 * SECOND));
    wait_with_a_panicking_waker(light.as_mut());
    tokio::time::advance(SECOND).await;
    assert!(panics(|| drop(heavy.poll())), "the one behind it is served, and its waker panics");
    // The call takes the slot in the slab that the heavy call had.
    let mut stranger = waiter(limiter.acquire());
    drop(heavy);
    drop(held);
    drop(served(&mut stranger).expect("nobody but itself takes it out of the queue"));
    drop(light);
    assert_all_free(&limiter);
}

/// Queues a call whose waker panics when the window is over. The limiter has two permits a second,
/// which are both spent. After `before` the second passes, but nothing reads the clock.
fn panics_when_the_window_is_looked_at(
    limiter: &Limiter,
    before: impl FnOnce(),
) -> Pin<Box<impl Future<Output = Permit> + '_>> {
    let mut call = Box::pin(limiter.acquire());
    wait_with_a_panicking_waker(call.as_mut());
    before();
    assert!(task::spawn(tokio::time::advance(Duration::from_secs(1))).poll().is_pending());
    call
}

#[test]
fn a_call_that_is_refused_before_one_whose_waker_panics_leaves_the_queue_once() {
    let runtime = paused();
    let _entered = runtime.enter();
    let limiter = Limiter::new("panicking-refused", 2).per(Duration::from_secs(1));
    drop([permit(&limiter), permit(&limiter)]);
    let mut heavy = waiter(limiter.acquire().weight(2));
    let light = panics_when_the_window_is_looked_at(&limiter, || limiter.set_limit(1));
    assert!(heavy.is_woken(), "it is too heavy now");
    assert!(panics(|| drop(heavy.poll())), "the one behind it is served, and its waker panics");
    drop(heavy);
    drop(light);
    assert_is_whole_after_a_second(&limiter, 1);
}

#[test]
fn a_call_that_asks_again_before_one_whose_waker_panics_leaves_the_queue_once() {
    let runtime = paused();
    let _entered = runtime.enter();
    let limiter = Limiter::new("panicking-again", 2).per(Duration::from_secs(1));
    drop([permit(&limiter), permit(&limiter)]);
    let mut first = waiter(limiter.acquire());
    // Both changes together make each waiter ask again.
    limiter.set_enabled(false);
    limiter.set_enabled(true);
    assert!(first.is_woken());
    let second = panics_when_the_window_is_looked_at(&limiter, || ());
    assert!(panics(|| drop(first.poll())), "the other is served, and its waker panics");
    drop(first);
    drop(second);
    assert_is_whole_after_a_second(&limiter, 2);
}

/// Asserts that a limiter with a rate lets this many calls in, and serves two that wait in order.
#[track_caller]
fn assert_is_whole_after_a_second(limiter: &Limiter, permits: usize) {
    assert_figures(limiter, 0, 0);
    let held: Vec<_> = (0..permits).map(|_| permit(limiter)).collect();
    let mut waiters = [waiter(limiter.acquire()), waiter(limiter.acquire())];
    assert_figures(limiter, permits, 2);
    limiter.set_limit(permits + 2);
    for call in &mut waiters {
        drop(served(call));
    }
    drop(held);
    assert_figures(limiter, 0, 0);
}

#[test]
fn a_waker_and_a_listener_that_panic_do_not_end_the_process() {
    let limiter = Limiter::new("panicking-listened-to", 1);
    let mut events = limiter.subscribe();
    let held = permit(&limiter);
    let mut call = Box::pin(limiter.acquire());
    wait_with_a_panicking_waker(call.as_mut());
    while events.try_recv().is_ok() {}
    let mut heard = Box::pin(events.recv());
    wait_with_a_panicking_waker(heard.as_mut());
    assert!(panics(|| drop(held)));
    drop(call);
    assert_all_free(&limiter);
}

#[test]
fn a_body_that_panics_before_a_waker_that_panics_does_not_end_the_process() {
    let limiter = Limiter::new("panicking-body", 1);
    let held = permit(&limiter);
    let mut first = Box::pin(limiter.acquire());
    wait_with_a_panicking_waker(first.as_mut());
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _held = held;
        panic!("in the body");
    }));
    let message = panic.expect_err("the body panics");
    assert_eq!(
        message.downcast_ref(),
        Some(&"in the body"),
        "the first panic is the one that is told"
    );
    drop(first);
    assert_all_free(&limiter);
}

#[test]
fn wakers_may_panic_with_what_panics_again_when_it_is_dropped() {
    struct Grenade;

    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("in what a panic carries");
        }
    }

    struct Throws;

    impl Wake for Throws {
        fn wake(self: Arc<Self>) {
            panic_any(Grenade);
        }
    }

    let waker = Waker::from(Arc::new(Throws));
    let limiter = Limiter::new("panicking-grenades", 0);
    let mut calls: Vec<_> = (0..3).map(|_| Box::pin(limiter.acquire())).collect();
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let waits = waiter(limiter.acquire());
    let panic = catch_unwind(AssertUnwindSafe(|| limiter.set_limit(4)));
    std::mem::forget(panic.expect_err("the first panic goes on"));
    assert!(waits.is_woken());
    drop((waits, calls));
    assert_all_free(&limiter);
}
