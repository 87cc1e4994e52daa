//! Estimates of when a refused call may ask again, on the paused clock.

use limit_runtime::{Limiter, Rejected, RejectedKind};
use limit_tests::figures::assert_figures;
use limit_tests::polling::{let_in, refused, served, waiter};
use limit_tests::programs::is_alone;
use std::time::Duration;
use tokio::time::{advance, sleep};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn assert_about(estimate: Option<Duration>, expected: Duration) {
    let estimate = estimate.expect("there is a basis");
    assert!(
        estimate >= expected * 2 / 3 && estimate <= expected * 3 / 2,
        "{estimate:?} instead of about {expected:?}"
    );
}

/// Makes calls one after another, each inside for `stay`; another call is refused at the end of
/// each.
async fn calls_one_after_another(limiter: &Limiter<Rejected>, calls: usize, stay: Duration) {
    for _ in 0..calls {
        let held = let_in(limiter.acquire());
        sleep(stay).await;
        refused(limiter.acquire());
        drop(held);
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_first_refusal_there_is_no_basis() {
    let limiter = Limiter::new("retry-first", 1).max_waiting(0);
    let held = let_in(limiter.acquire());
    assert_eq!(refused(limiter.acquire()).retry_after(), None);
    drop(held);
    assert_figures(&limiter, 0, 0);
}

/// A new limiter reuses the storage of one that was dropped.
#[tokio::test(start_paused = true)]
async fn what_came_back_at_the_limiter_before_is_no_basis() {
    if !is_alone("retry_after::what_came_back_at_the_limiter_before_is_no_basis") {
        return;
    }
    let before = Limiter::new("retry-before", 1).max_waiting(0);
    calls_one_after_another(&before, 5, 100 * MS).await;
    drop(before);
    let limiter = Limiter::new("retry-after", 1).max_waiting(0);
    let held = let_in(limiter.acquire());
    assert_eq!(refused(limiter.acquire()).retry_after(), None);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn when_nothing_came_back_since_there_is_no_basis() {
    let limiter = Limiter::new("retry-nothing", 1).max_waiting(0);
    let held = let_in(limiter.acquire());
    for _ in 0..50 {
        assert_eq!(refused(limiter.acquire()).retry_after(), None);
        advance(100 * MS).await;
    }
    drop(held);
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_it_is_how_long_a_permit_takes_to_come_back() {
    for stay in [10, 100, 400] {
        let limiter = Limiter::named("retry-no-queue", 1).max_waiting(0);
        calls_one_after_another(&limiter, 30, stay * MS).await;
        let held = let_in(limiter.acquire());
        assert_about(refused(limiter.acquire()).retry_after(), stay * MS);
        drop(held);
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_before() {
    let limiter = Limiter::new("retry-queue", 2).max_waiting(8);
    let mut held: Vec<_> = (0..2).map(|_| let_in(limiter.acquire())).collect();
    let mut waiting: Vec<_> = (0..8).map(|_| waiter(limiter.acquire())).collect();
    let mut estimate = None;
    // Two calls at a time, 100 ms each: twenty a second.
    for _ in 0..40 {
        sleep(50 * MS).await;
        estimate = refused(limiter.acquire()).retry_after();
        drop(held.remove(0));
        held.push(served(&mut waiting.remove(0)).unwrap());
        waiting.push(waiter(limiter.acquire()));
    }
    assert_about(estimate, 9 * 50 * MS);
    drop((held, waiting));
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn it_follows_the_rate_of_the_last_seconds() {
    let limiter = Limiter::new("retry-follows", 1).max_waiting(0);
    let now = |limiter: &Limiter<Rejected>| {
        let _held = let_in(limiter.acquire());
        refused(limiter.acquire()).retry_after()
    };
    calls_one_after_another(&limiter, 300, 10 * MS).await;
    assert_about(now(&limiter), 10 * MS);
    calls_one_after_another(&limiter, 20, 500 * MS).await;
    assert_about(now(&limiter), 500 * MS);
    calls_one_after_another(&limiter, 300, 10 * MS).await;
    assert_about(now(&limiter), 10 * MS);
    sleep(60 * SECOND).await;
    assert_eq!(now(&limiter), None, "that was long ago");
}

#[tokio::test(start_paused = true)]
async fn where_waiting_does_not_help_there_is_none() {
    let limiter = Limiter::new("retry-no-help", 1).max_waiting(0);
    calls_one_after_another(&limiter, 30, 100 * MS).await;
    let held = let_in(limiter.acquire());
    assert!(refused(limiter.acquire()).retry_after().is_some());
    let too_heavy = refused(limiter.acquire().weight(2));
    assert_eq!((too_heavy.kind(), too_heavy.retry_after()), (RejectedKind::TooHeavy, None));
    limiter.close();
    let closed = refused(limiter.acquire());
    assert_eq!((closed.kind(), closed.retry_after()), (RejectedKind::Closed, None));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_try_is_told_too() {
    let limiter = Limiter::new("retry-try", 1);
    let mut estimate = None;
    for _ in 0..30 {
        let held = limiter.try_acquire().unwrap();
        sleep(100 * MS).await;
        estimate = limiter.try_acquire().unwrap_err().retry_after();
        drop(held);
    }
    assert_about(estimate, 100 * MS);
}

/// A call that waited counts itself once: no other call waits, and a permit comes back every 100
/// ms.
#[tokio::test(start_paused = true)]
async fn a_call_that_timed_out_is_told_how_long_it_takes_until_it_is_served() {
    let limiter = Limiter::new("retry-timed-out", 1).max_wait(50 * MS);
    let mut estimate = None;
    for _ in 0..40 {
        let held = let_in(limiter.acquire());
        sleep(10 * MS).await;
        let rejected = limiter.acquire().await.unwrap_err();
        assert_eq!(rejected.kind(), RejectedKind::TimedOut);
        estimate = rejected.retry_after();
        sleep(40 * MS).await;
        drop(held);
    }
    assert_about(estimate, 100 * MS);
}

#[tokio::test(start_paused = true)]
async fn the_first_refusals_of_a_burst_go_by_the_calls_before_it() {
    let limiter = Limiter::new("retry-burst", 2).max_waiting(0);
    // No call is refused for a minute: two calls at a time, 40 a second.
    for _ in 0..1200 {
        let held = [let_in(limiter.acquire()), let_in(limiter.acquire())];
        sleep(50 * MS).await;
        drop(held);
    }
    let _held = [let_in(limiter.acquire()), let_in(limiter.acquire())];
    for _ in 0..3 {
        assert_about(refused(limiter.acquire()).retry_after(), 25 * MS);
        assert_about(limiter.try_acquire().unwrap_err().retry_after(), 25 * MS);
    }
}

#[tokio::test(start_paused = true)]
async fn the_calls_since_the_limiter_was_first_used_are_a_basis() {
    let limiter = Limiter::new("retry-first-used", 5).max_waiting(0);
    let held: Vec<_> = (0..5).map(|_| let_in(limiter.acquire())).collect();
    sleep(3 * SECOND).await;
    assert_eq!(refused(limiter.acquire()).retry_after(), None, "none of the five has come back");
    drop(held);
    let _held: Vec<_> = (0..5).map(|_| let_in(limiter.acquire())).collect();
    assert_about(refused(limiter.acquire()).retry_after(), 600 * MS);
}

#[tokio::test(start_paused = true)]
async fn after_an_idle_hour_the_first_refusal_has_none_and_later_ones_do() {
    let limiter = Limiter::new("retry-idle", 1).max_waiting(0);
    calls_one_after_another(&limiter, 30, 100 * MS).await;
    sleep(3600 * SECOND).await;
    let held = let_in(limiter.acquire());
    assert_eq!(refused(limiter.acquire()).retry_after(), None, "the average is two minutes");
    drop(held);
    calls_one_after_another(&limiter, 10, 100 * MS).await;
    let _held = let_in(limiter.acquire());
    assert_about(refused(limiter.acquire()).retry_after(), 100 * MS);
}

#[tokio::test(start_paused = true)]
async fn when_nothing_comes_back_for_longer_than_usual_there_is_none() {
    let limiter = Limiter::new("retry-hangs", 1).max_waiting(0);
    calls_one_after_another(&limiter, 200, 100 * MS).await;
    let _held = let_in(limiter.acquire());
    for _ in 0..3 {
        assert_about(refused(limiter.acquire()).retry_after(), 100 * MS);
        advance(40 * MS).await;
    }
    assert_eq!(refused(limiter.acquire()).retry_after(), None);
}

#[tokio::test(start_paused = true)]
async fn heavy_calls_that_hold_permits_have_not_come_back() {
    let limiter = Limiter::new("retry-heavy", 10).weight(5).max_waiting(0);
    let held = [let_in(limiter.acquire()), let_in(limiter.acquire())];
    sleep(SECOND).await;
    assert_eq!(refused(limiter.acquire()).retry_after(), None);
    drop(held);
    let _held = [let_in(limiter.acquire()), let_in(limiter.acquire())];
    assert_about(refused(limiter.acquire()).retry_after(), 500 * MS);
}

#[tokio::test(start_paused = true)]
async fn an_error_keeps_the_estimate_that_it_gave_first() {
    let limiter = Limiter::new("retry-kept", 1).max_waiting(0);
    calls_one_after_another(&limiter, 30, 100 * MS).await;
    let held = let_in(limiter.acquire());
    let rejected = refused(limiter.acquire());
    let estimate = rejected.retry_after();
    assert_about(estimate, 100 * MS);
    let clone = rejected.clone();
    sleep(5 * SECOND).await;
    assert_eq!((rejected.retry_after(), clone.retry_after()), (estimate, estimate));
    drop(held);
    drop(limiter);
    assert_eq!((rejected.retry_after(), clone.retry_after()), (estimate, estimate));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_asked_late_goes_by_the_figures_of_that_time() {
    let limiter = Limiter::new("retry-late", 1).max_waiting(0);
    let held = let_in(limiter.acquire());
    let (late, too_late) = (refused(limiter.acquire()), limiter.try_acquire().unwrap_err());
    drop(held);
    calls_one_after_another(&limiter, 30, 100 * MS).await;
    assert_about(late.retry_after(), 100 * MS);
    drop(limiter);
    // The next limiter may use the same storage.
    let next = Limiter::new("retry-late-next", 1).max_waiting(0);
    calls_one_after_another(&next, 30, 100 * MS).await;
    assert_eq!(too_late.retry_after(), None, "its limiter is gone");
    assert_eq!((too_late.limiter(), too_late.in_use()), ("retry-late", 1), "the figures stay");
}

#[tokio::test(start_paused = true)]
async fn while_a_limiter_is_closed_or_paused_there_is_no_estimate() {
    let limiter = Limiter::new("retry-paused", 1).max_waiting(0);
    calls_one_after_another(&limiter, 5, 100 * MS).await;
    let held = let_in(limiter.acquire());
    let [first, second, third] = [(); 3].map(|()| refused(limiter.acquire()));
    limiter.set_limit(0);
    assert_eq!(first.retry_after(), None, "nobody is admitted at limit 0");
    limiter.set_limit(1);
    limiter.close();
    assert_eq!(second.retry_after(), None, "nor while it is closed");
    limiter.reopen();
    assert!(third.retry_after().is_some());
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn for_a_key_that_is_paused_there_is_none() {
    let limiter = Limiter::new("retry-paused-key", 1).max_waiting(0).keyed().total(5);
    limiter.set_key_limit("own", Some(1)).unwrap();
    let estimate = |key: &'static str| refused(limiter.key(key).acquire()).retry_after();
    for key in ["own", "common"] {
        // It is known as long as a call holds a permit.
        limiter.set_limit(2);
        limiter.set_key_limit(key, Some(2)).unwrap();
        let _kept = let_in(limiter.key(key).acquire());
        for _ in 0..30 {
            let held = let_in(limiter.key(key).acquire());
            sleep(100 * MS).await;
            drop((refused(limiter.key(key).acquire()), held));
        }
        let _held = let_in(limiter.key(key).acquire());
        assert_about(estimate(key), 100 * MS);
        limiter.set_key_limit(key, Some(0)).unwrap();
        assert_eq!(estimate(key), None, "its own limit is 0");
        limiter.set_key_limit(key, None).unwrap();
        assert_about(estimate(key), 100 * MS);
        limiter.set_limit(0);
        assert_eq!(estimate(key), None, "the limit of each is 0");
        limiter.set_key_limit(key, Some(2)).unwrap();
        assert_about(estimate(key), 100 * MS);
        limiter.set_total(0);
        assert_eq!(estimate(key), None, "the limit of all keys is 0");
        limiter.set_total(5);
    }
}
