//! Calls with `max_wait`: the limiter refuses them when their time is up.

use super::{TICK, all_in_one_tick, cases};
use limit_runtime::{Limiter, MaxWait, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, refused, served, waiter};
use limit_tests::runtimes::one_thread;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_test::task;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_call_waits_as_long_as_it_may_and_is_then_refused_with_how_long_it_waited() {
    let limiter = Limiter::new("max-wait-over", 2).max_wait(50 * MS);
    let held = [let_in(limiter.acquire()), let_in(limiter.acquire())];
    let asked = Instant::now();
    let rejected = limiter.acquire().await.unwrap_err();
    assert_eq!(asked.elapsed(), 50 * MS);
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_eq!(rejected.waited(), 50 * MS);
    assert_eq!((rejected.limiter(), rejected.weight()), ("max-wait-over", 1));
    assert_eq!((rejected.limit(), rejected.in_use()), (2, 2));
    let figures = total(&limiter);
    assert_eq!((figures.waiting, figures.cancelled), (0, 0));
    assert_eq!((figures.rejected.timed_out, figures.rejected.total()), (1, 1));
    assert_eq!(figures.wait.count, 0, "it was not admitted");
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_refusal_has_the_wait_with_three_digits() {
    let limiter = Limiter::new("max-wait-text", 1).max_wait(20 * MS);
    let held = let_in(limiter.acquire());
    let call = waiter(limiter.acquire());
    advance(Duration::from_nanos(20_147_769)).await;
    let rejected = at_once(call.into_inner()).expect_err("its time is up");
    assert_eq!(rejected.waited(), Duration::from_nanos(20_147_769));
    let text = rejected.to_string();
    assert!(
        text.starts_with("no permit of concurrency limit `max-wait-text` within 20.1ms: 1"),
        "{text}"
    );
    drop(held);
}

/// `waiting` counts the other calls only, as with the other kinds of refusal.
#[tokio::test(start_paused = true)]
async fn a_call_that_timed_out_is_not_among_those_who_wait() {
    let limiter = Limiter::new("max-wait-waiting", 1).max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    let rejected = limiter.acquire().await.unwrap_err();
    assert_eq!(rejected.waiting(), 0);
    assert_eq!(
        rejected.to_string(),
        "no permit of concurrency limit `max-wait-waiting` within 50ms: 1 of 1 permits in use, 0 \
         waiting",
    );
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn it_never_waits_less_than_it_may() {
    let limiter = Limiter::new("max-wait-never-less", 1);
    let held = permit(&limiter);
    for nanoseconds in [1, 999, 1_000, 1_001, 999_999, 1_000_001, 1_500_000, 77_777_777] {
        let max_wait = Duration::from_nanos(nanoseconds);
        // Moves the clock off the timer's ticks.
        advance(Duration::from_nanos(333_333)).await;
        let asked = Instant::now();
        let rejected = limiter.acquire().max_wait(max_wait).await.unwrap_err();
        assert!(rejected.waited() >= max_wait, "{:?} of {max_wait:?}", rejected.waited());
        assert!(asked.elapsed() >= max_wait);
        assert!(rejected.waited() <= max_wait + 2 * MS, "{:?} of {max_wait:?}", rejected.waited());
    }
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_permit_freed_in_time_is_taken() {
    let limiter = Limiter::new("max-wait-in-time", 1).max_wait(50 * MS);
    for held_for in [0, 1, 49] {
        let held = let_in(limiter.acquire());
        let asked = Instant::now();
        let (admitted, ()) = tokio::join!(limiter.acquire(), async {
            sleep(held_for * MS).await;
            drop(held);
        });
        assert_eq!(asked.elapsed(), held_for * MS);
        drop(admitted.expect("the permit came in time"));
    }
    let figures = total(&limiter);
    assert_eq!((figures.admitted_after_waiting, figures.wait.max), (3, 49 * MS));
    assert_eq!(figures.rejected.total(), 0);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_was_handed_over_in_time_is_taken_also_when_it_is_looked_at_late() {
    let limiter = Limiter::new("max-wait-looked-late", 1).max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    let mut call = waiter(limiter.acquire());
    advance(49 * MS).await;
    drop(held);
    advance(100 * MS).await;
    drop(served(&mut call).expect("the permit came in time"));
    assert_eq!(total(&limiter).rejected.timed_out, 0);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_free_permit_is_taken_with_no_time_to_wait() {
    let limiter = Limiter::new("max-wait-zero", 1).max_wait(Duration::ZERO);
    let past = Instant::now();
    advance(MS).await;
    for _ in 0..10 {
        let held = let_in(limiter.acquire());
        let rejected = refused(limiter.acquire());
        assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::NoPermits, Duration::ZERO));
        assert_eq!(refused(limiter.acquire().max_wait(past)).kind(), RejectedKind::NoPermits);
        drop(held);
        drop(let_in(limiter.acquire().max_wait(past)));
    }
    let figures = total(&limiter);
    assert_eq!((figures.admitted_at_once, figures.rejected.no_permits), (20, 20));
    assert_eq!(figures.rejected.total(), 20);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_moment_is_as_good_as_a_duration() {
    let limiter = Limiter::new("max-wait-moments", 1);
    let held = permit(&limiter);
    let asked = Instant::now();
    let rejected = limiter.acquire().max_wait(asked + 20 * MS).await.unwrap_err();
    assert_eq!((rejected.waited(), asked.elapsed()), (20 * MS, 20 * MS));
    let moment = (Instant::now() + 30 * MS).into_std();
    let rejected = limiter.acquire().max_wait(moment).await.unwrap_err();
    assert_eq!((rejected.waited(), asked.elapsed()), (30 * MS, 50 * MS));
    assert_eq!(MaxWait::from(moment), MaxWait::Until(Instant::from_std(moment)));
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_says_goes_before_what_the_limiter_says() {
    let limiter = Limiter::new("max-wait-overridden", 1).max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    for max_wait in [10 * MS, 200 * MS] {
        let rejected = limiter.acquire().max_wait(max_wait).await.unwrap_err();
        assert_eq!(rejected.waited(), max_wait);
        let rejected = limiter.acquire().max_wait(5 * MS).max_wait(max_wait).await.unwrap_err();
        assert_eq!(rejected.waited(), max_wait, "the last one counts");
    }
    let rejected = limiter.acquire().weight(1).priority(3).enabled(true).await.unwrap_err();
    assert_eq!(rejected.waited(), 50 * MS, "the others leave it as it is");
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn the_time_counts_from_when_the_call_begins_to_wait() {
    let limiter = Limiter::new("max-wait-from", 1).max_wait(50 * MS);
    let call = limiter.acquire();
    advance(500 * MS).await;
    let held = let_in(limiter.acquire());
    let rejected = call.await.unwrap_err();
    assert_eq!(rejected.waited(), 50 * MS);
    drop(held);
    assert_all_free(&limiter);
}

/// A call may use the timer of another that was served. That one was set for another time.
#[tokio::test(start_paused = true)]
async fn among_calls_that_are_served_each_waits_its_own_time() {
    let limiter = Limiter::new("max-wait-own-time", 1);
    let held = permit(&limiter);
    let start = Instant::now();
    let mut first = waiter(limiter.acquire().max_wait(10 * SECOND));
    let last = waiter(limiter.acquire().max_wait(100 * SECOND));
    drop(held);
    let held = served(&mut first).expect("it has waited for no time");
    drop(first);
    for seconds in [50, 5] {
        let asked = Instant::now();
        let rejected = limiter.acquire().max_wait(seconds * SECOND).await.expect_err("it is held");
        assert_eq!(rejected.kind(), RejectedKind::TimedOut);
        assert_eq!(asked.elapsed(), seconds * SECOND);
    }
    drop((last, held));
    assert_eq!(start.elapsed(), 55 * SECOND);
    assert_all_free(&limiter);
}

/// A paused clock leaps to the next timer when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_leap_to_the_time_of_a_call_that_was_served() {
    let limiter = Limiter::new("max-wait-no-leap", 1).max_wait(10 * SECOND);
    let held = let_in(limiter.acquire());
    let start = Instant::now();
    let (mut first, mut second) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    drop(held);
    let held = served(&mut first).expect("it has waited for no time");
    drop((first, held));
    drop((served(&mut second).expect("it has waited for no time"), second));
    until_another_thread_comes_by().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_all_free(&limiter);
}

/// Waits for another thread. A paused clock leaps meanwhile, if there is a timer.
async fn until_another_thread_comes_by() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(50 * MS);
        sender.send(()).expect("the receiver is here");
    });
    receiver.await.expect("the thread sends");
    thread.join().expect("the thread ends");
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_does_not_leap_for_the_future_of_a_call_that_is_over() {
    let limiter = Limiter::new("max-wait-kept", 1);
    let held = permit(&limiter);
    let mut over = Box::pin(limiter.acquire().max_wait(MS));
    assert_eq!((&mut over).await.expect_err("nothing comes back").kind(), RejectedKind::TimedOut);
    let mut long = waiter(limiter.acquire().max_wait(3600 * SECOND));
    drop(held);
    let start = Instant::now();
    let held = served(&mut long).expect("it has waited for no time");
    until_another_thread_comes_by().await;
    drop(long);
    until_another_thread_comes_by().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    drop((held, over));
}

#[tokio::test(start_paused = true)]
async fn the_waker_of_a_call_that_is_over_is_not_kept_while_others_wait() {
    struct Counted;
    impl Wake for Counted {
        fn wake(self: Arc<Self>) {}
    }
    let limiter = Limiter::new("max-wait-waker", 1).max_wait(SECOND);
    let held = let_in(limiter.acquire());
    let counted = Arc::new(Counted);
    let waker = Waker::from(Arc::clone(&counted));
    let mut first = Box::pin(limiter.acquire());
    let mut context = Context::from_waker(&waker);
    assert!(first.as_mut().poll(&mut context).is_pending());
    let mut second = waiter(limiter.acquire());
    drop(held);
    let Poll::Ready(Ok(held)) = first.as_mut().poll(&mut context) else { panic!("it was served") };
    drop((first, held, waker));
    assert_eq!(Arc::strong_count(&counted), 1);
    drop(served(&mut second).expect("it has waited for no time"));
}

#[tokio::test(start_paused = true)]
async fn a_time_that_was_made_shorter_holds_for_a_call_that_enters_again() {
    let limiter = Limiter::new("max-wait-shorter", 1).max_wait(100 * SECOND);
    let held = let_in(limiter.acquire());
    let mut call = waiter(limiter.acquire());
    limiter.set_enabled(false);
    limiter.set_enabled(true);
    limiter.set_max_wait(SECOND);
    assert!(call.is_woken() && call.poll().is_pending());
    advance(2 * SECOND).await;
    assert!(call.is_woken());
    let Poll::Ready(Err(rejected)) = call.poll() else { panic!("its time is up") };
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn with_the_largest_wait_a_call_waits_for_ever() {
    let limiter = Limiter::new("max-wait-largest", 1).max_wait(Duration::MAX);
    let held = let_in(limiter.acquire());
    let mut call = waiter(limiter.acquire());
    advance(Duration::from_secs(100 * 365 * 24 * 3600)).await;
    assert_waits(&mut call);
    drop(held);
    drop(served(&mut call).unwrap());
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn who_stands_behind_a_heavy_call_that_times_out_is_served_at_once() {
    let limiter = Limiter::new("max-wait-head", 2);
    let held = permit(&limiter);
    let mut heavy = waiter(limiter.acquire().weight(2).max_wait(10 * MS));
    let mut light = waiter(limiter.acquire());
    assert_waits(&mut light);
    sleep(10 * MS).await;
    assert_eq!(served(&mut heavy).unwrap_err().kind(), RejectedKind::TimedOut);
    drop(served(&mut light));
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_before_its_time_is_up_is_cancelled_and_not_timed_out() {
    let limiter = Limiter::new("max-wait-cancelled", 1).max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    let call = waiter(limiter.acquire());
    // Its time is up, but nobody has polled it.
    advance(60 * MS).await;
    drop(call);
    assert!(timeout(10 * MS, limiter.acquire()).await.is_err());
    let figures = total(&limiter);
    assert_eq!((figures.cancelled, figures.rejected.timed_out), (2, 0));
    drop(held);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_permits_that_come_in_the_tick_of_the_deadline_are_used_or_passed_on() {
    for (permits, keep) in cases() {
        let limiter = Limiter::named("max-wait-same-tick", permits).max_wait(TICK);
        let limiter = Arc::new(limiter);
        let held = (0..permits).map(|_| let_in(limiter.acquire())).collect();
        let ask = |_| {
            let limiter = Arc::clone(&limiter);
            async move {
                let refused = |rejected: Rejected| {
                    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
                    assert!(rejected.waited() >= TICK);
                };
                limiter.acquire().await.map_err(refused).ok()
            }
        };
        let admitted = all_in_one_tick(&limiter, held, keep, ask).await;
        let figures = total(&limiter);
        assert_eq!(figures.rejected.timed_out, 1000 - admitted);
        assert_eq!((figures.cancelled, figures.rejected.total()), (0, 1000 - admitted));
        assert_all_free(&limiter);
    }
}

#[test]
fn the_time_goes_on_when_a_call_moves_on_to_another_runtime() {
    static LIMITER: Limiter<Rejected> =
        Limiter::new("max-wait-moved", 1).max_wait(MS.saturating_mul(20));

    let (first, second) = (one_thread(), one_thread());
    let asked = Instant::now();
    let (held, call) =
        first.block_on(async { (let_in(LIMITER.acquire()), waiter(LIMITER.acquire())) });
    let there = second.block_on(async { let_in(LIMITER.acquire()) });
    drop(first);
    assert!(call.is_woken());
    let rejected = second.block_on(call).unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert!(rejected.waited() >= 20 * MS && asked.elapsed() >= rejected.waited());
    drop((held, there));
    second.block_on(async { assert_all_free(&LIMITER) });
}

#[tokio::test(start_paused = true)]
async fn the_time_goes_on_when_a_call_asks_again() {
    let limiter = Limiter::new("max-wait-again", 1).max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    let mut call = waiter(limiter.acquire());
    advance(20 * MS).await;
    // Both changes together make each waiter ask again.
    limiter.set_enabled(false);
    limiter.set_enabled(true);
    assert!(call.is_woken());
    assert!(call.poll().is_pending());
    advance(29 * MS).await;
    assert_waits(&mut call);
    advance(MS).await;
    let rejected = served(&mut call).unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, 50 * MS));
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn a_call_that_would_need_a_timer_and_has_none_panics_and_leaves_no_trace() {
    let limiter = Limiter::new("max-wait-no-timer", 1).max_wait(50 * MS);
    let held = let_in(limiter.acquire());
    let mut call = task::spawn(limiter.acquire());
    let polled = catch_unwind(AssertUnwindSafe(|| call.poll().is_pending()));
    assert!(polled.is_err(), "outside a runtime there is no timer");
    drop(call);
    assert_figures(&limiter, 1, 0);
    drop(held);
    assert_all_free(&limiter);
    drop(at_once(limiter.acquire()));
}
