//! Estimates of when a refused growth may try again, on the paused clock.

use limit_runtime::{Acquire, KeyedLimiter, Limiter, Permit, Rejected, RejectedKind};
use limit_tests::polling::{let_in, refused, served, waiter};
use std::time::Duration;
use tokio::time::sleep;
use tokio_test::task::Spawn;

const MS: Duration = Duration::from_millis(1);

#[track_caller]
fn assert_about(rejected: &Rejected, expected: Duration) {
    let estimate = rejected.retry_after().expect("there is a basis");
    assert!(
        estimate >= expected * 2 / 3 && estimate <= expected * 3 / 2,
        "{estimate:?} instead of about {expected:?}"
    );
}

/// Lets calls of one weight come and go under a limiter with 20 more in its queue, two at a time and 100 ms each, so that
/// twenty are served a second. `growing` asks for more now and then, which is refused.
///
/// Returns the calls that are inside and those that wait.
async fn a_long_queue<'a>(
    limiter: &'a Limiter<Rejected>,
    weight: u32,
    growing: &mut Permit,
) -> (Vec<Permit>, Vec<Spawn<Acquire<'a, Rejected>>>) {
    let mut held: Vec<_> = (0..2).map(|_| let_in(limiter.acquire_many(weight))).collect();
    let mut waiting: Vec<_> = (0..20).map(|_| waiter(limiter.acquire_many(weight))).collect();
    for _ in 0..40 {
        sleep(50 * MS).await;
        let rejected = growing.try_resize(growing.weight() + 1).expect_err("all are in use");
        // Whoever asks makes the estimate better.
        let _ = rejected.retry_after();
        drop(held.remove(0));
        held.push(served(&mut waiting.remove(0)).unwrap());
        waiting.push(waiter(limiter.acquire_many(weight)));
    }
    (held, waiting)
}

#[tokio::test(start_paused = true)]
async fn the_queue_that_a_holder_goes_before_does_not_count() {
    let limiter = Limiter::new("growing-estimate", 3).max_waiting(100);
    let mut growing = let_in(limiter.acquire());
    let calls = a_long_queue(&limiter, 1, &mut growing).await;
    assert_about(&refused(limiter.acquire().max_wait(Duration::ZERO)), 21 * 50 * MS);
    assert_about(&growing.try_resize(2).unwrap_err(), 50 * MS);
    assert_about(&growing.try_resize(3).unwrap_err(), 2 * 50 * MS);
    assert_eq!(growing.try_resize(4).unwrap_err().retry_after(), None, "it is too heavy");
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn other_calls_are_taken_to_hold_as_much_as_the_holder() {
    let limiter = Limiter::new("growing-estimate-heavy", 12).max_waiting(100);
    let mut growing = let_in(limiter.acquire_many(4));
    let calls = a_long_queue(&limiter, 4, &mut growing).await;
    assert_about(&growing.try_resize(5).unwrap_err(), 50 * MS);
    assert_about(&growing.try_resize(8).unwrap_err(), 50 * MS);
    assert_about(&growing.try_resize(12).unwrap_err(), 2 * 50 * MS);
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn permits_that_are_free_are_not_waited_for() {
    let limiter = Limiter::new("growing-estimate-free", 3).max_waiting(100);
    let mut growing = let_in(limiter.acquire());
    let (mut held, waiting) = a_long_queue(&limiter, 1, &mut growing).await;
    drop(waiting);
    assert_about(&growing.try_resize(3).unwrap_err(), 2 * 50 * MS);
    drop(held.pop());
    assert_about(&growing.try_resize(3).unwrap_err(), 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn holders_that_want_no_more_go_before() {
    let limiter = Limiter::new("growing-estimate-order", 6).max_waiting(100);
    let mut others = [(); 3].map(|()| let_in(limiter.acquire()));
    let mut growing = let_in(limiter.acquire());
    let calls = a_long_queue(&limiter, 1, &mut growing).await;
    let [same, less, more] = &mut others;
    assert_about(&growing.try_resize(3).unwrap_err(), 2 * 50 * MS);
    let _same = waiter(same.resize(3));
    assert_about(&growing.try_resize(3).unwrap_err(), 4 * 50 * MS);
    let _less = waiter(less.resize(2));
    assert_about(&growing.try_resize(3).unwrap_err(), 5 * 50 * MS);
    let _more = waiter(more.resize(4));
    assert_about(&growing.try_resize(3).unwrap_err(), 5 * 50 * MS);
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_has_waited_is_told_the_same() {
    let limiter = Limiter::new("growing-estimate-waited", 3).max_waiting(100);
    let mut growing = let_in(limiter.acquire());
    let calls = a_long_queue(&limiter, 1, &mut growing).await;
    let rejected = growing.resize(2).max_wait(MS).await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_about(&rejected, 50 * MS);
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn with_keys_the_calls_of_the_key_count_if_it_lacks_permits_of_its_own() {
    let limiter: KeyedLimiter<Rejected> =
        Limiter::new("growing-estimate-key", 2).keyed().max_waiting(100);
    let key = || limiter.key("a");
    let mut growing = let_in(key().acquire());
    let mut held = let_in(key().acquire());
    let mut waiting: Vec<_> = (0..20).map(|_| waiter(key().acquire())).collect();
    for _ in 0..40 {
        sleep(50 * MS).await;
        let _ = growing.try_resize(2).expect_err("all are in use");
        // Another key is busier.
        for _ in 0..10 {
            drop(let_in(limiter.key("b").acquire()));
        }
        drop(held);
        held = served(&mut waiting.remove(0)).unwrap();
        waiting.push(waiter(key().acquire()));
    }
    assert_about(&growing.try_resize(2).unwrap_err(), 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn with_a_rate_it_is_the_end_of_a_window() {
    let limiter = Limiter::new("growing-estimate-rate", 3).max_waiting(100).per(1000 * MS);
    let mut growing = let_in(limiter.acquire());
    drop(let_in(limiter.acquire()));
    sleep(400 * MS).await;
    drop(let_in(limiter.acquire()));
    let waiting: Vec<_> = (0..20).map(|_| waiter(limiter.acquire())).collect();
    let rejected = growing.try_resize(2).unwrap_err();
    assert_eq!((rejected.spent(), rejected.retry_after()), (2, Some(600 * MS)));
    assert_eq!(growing.try_resize(3).unwrap_err().retry_after(), Some(1000 * MS));
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn during_a_pause_there_is_none() {
    let limiter = Limiter::new("growing-estimate-pause", 3).max_waiting(100);
    let mut growing = let_in(limiter.acquire());
    let calls = a_long_queue(&limiter, 1, &mut growing).await;
    limiter.set_limit(0);
    let rejected = growing.resize(2).max_wait(Duration::ZERO).await.unwrap_err();
    assert_eq!((rejected.kind(), rejected.retry_after()), (RejectedKind::NoPermits, None));
    drop(calls);
}
