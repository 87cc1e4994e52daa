//! The figures of a call that is refused because the window has no more starts.

use super::{MINUTE, SECOND};
use limit_runtime::{Limiter, RejectedKind, Scope};
use limit_tests::polling::{at_once, let_in, refused, waiter};
use std::time::Duration;
use tokio::time::{advance, sleep};

#[tokio::test(start_paused = true)]
async fn a_spent_window_is_told_and_when_it_ends() {
    let limiter = Limiter::new("rate-spent", 2).per(MINUTE).max_waiting(0);
    drop(let_in(limiter.acquire()));
    advance(20 * SECOND).await;
    drop(let_in(limiter.acquire()));
    let rejected = refused(limiter.acquire());
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `rate-spent` reached: 2 of 2 starts of this window spent, the next in \
         40s, 0 waiting"
    );
    assert_eq!((rejected.spent(), rejected.in_use(), rejected.limit()), (2, 0, 2));
    assert_eq!(rejected.retry_after(), Some(40 * SECOND));
    assert!(format!("{rejected:?}").contains("spent: 2"));
}

#[tokio::test(start_paused = true)]
async fn those_in_use_and_those_who_wait_are_told_beside_what_is_spent() {
    let limiter = Limiter::new("rate-spent-in-use", 3).per(MINUTE).max_waiting(1);
    let held = let_in(limiter.acquire());
    drop(let_in(limiter.acquire()));
    advance(Duration::from_micros(100)).await;
    drop(let_in(limiter.acquire()));
    let waiting = waiter(limiter.acquire());
    let rejected = refused(limiter.acquire());
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `rate-spent-in-use` reached: 2 of 3 starts of this window spent, the \
         next in 60s, 1 in use, 1 waiting"
    );
    assert_eq!((rejected.spent(), rejected.in_use(), rejected.waiting()), (2, 1, 1));
    // The first permit is for the call that waits.
    assert_eq!(rejected.retry_after(), Some(MINUTE));
    drop((held, waiting));
}

/// In these cases the window is not the reason for the refusal.
#[tokio::test(start_paused = true)]
async fn where_all_are_in_use_nothing_is_said_of_windows() {
    let limiter = Limiter::new("rate-unspent", 1).per(MINUTE).max_waiting(0);
    let held = let_in(limiter.acquire());
    let rejected = refused(limiter.acquire());
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `rate-unspent` reached: 1 of 1 permits in use, 0 waiting"
    );
    assert_eq!((rejected.spent(), rejected.retry_after()), (0, None));
    drop(held);
    limiter.close();
    assert_eq!(refused(limiter.acquire()).spent(), 0, "closed, whatever is spent");
}

#[tokio::test(start_paused = true)]
async fn one_who_waited_in_vain_is_told_of_the_window_too() {
    let limiter = Limiter::new("rate-spent-waited", 1).per(MINUTE).max_wait(10 * SECOND);
    drop(let_in(limiter.acquire()));
    let rejected = limiter.acquire().await.unwrap_err();
    assert_eq!(
        rejected.to_string(),
        "no permit of concurrency limit `rate-spent-waited` within 10s: 1 of 1 starts of this \
         window spent, the next in 50s, 0 waiting"
    );
    assert_eq!(rejected.retry_after(), Some(50 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_heavy_call_is_told_when_as_many_as_it_wants_are_free() {
    let limiter = Limiter::new("rate-spent-heavy", 5).per(MINUTE).max_wait(SECOND);
    for _ in 0..4 {
        drop(let_in(limiter.acquire()));
        advance(10 * SECOND).await;
    }
    for (weight, retry_after) in [(2, 20), (3, 30), (4, 40), (5, 50)] {
        let rejected = refused(limiter.acquire().weight(weight).max_wait(Duration::ZERO));
        assert_eq!(rejected.retry_after(), Some(retry_after * SECOND), "{weight}");
        assert_eq!(rejected.spent(), 4);
    }
    let rejected = limiter.acquire().weight(3).await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_eq!(rejected.retry_after(), Some(29 * SECOND));
}

/// Permits above a lowered limit do not come back.
#[tokio::test(start_paused = true)]
async fn a_lowered_limit_is_paid_first() {
    let limiter = Limiter::new("rate-spent-lowered", 3).per(MINUTE).max_waiting(0);
    for _ in 0..3 {
        drop(let_in(limiter.acquire()));
        advance(10 * SECOND).await;
    }
    limiter.set_limit(1);
    let rejected = refused(limiter.acquire());
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `rate-spent-lowered` reached: 3 of 1 starts of this window spent, the \
         next in 50s, 0 waiting"
    );
    assert_eq!(rejected.retry_after(), Some(50 * SECOND));
    limiter.set_limit(0);
    let rejected = refused(limiter.acquire());
    assert_eq!((rejected.spent(), rejected.retry_after()), (0, None), "paused, whatever is spent");
    limiter.set_limit(1);
    advance(49 * SECOND).await;
    refused(limiter.acquire());
    advance(SECOND).await;
    drop(let_in(limiter.acquire()));
}

#[tokio::test(start_paused = true)]
async fn each_key_is_told_of_its_own_window() {
    let limiter = Limiter::new("rate-spent-keys", 1).per(MINUTE).keyed().max_waiting(0);
    // Asks more than once, because the limiter forgets what is over.
    for _ in 0..3 {
        drop(let_in(limiter.key("one").acquire()));
        advance(20 * SECOND).await;
        drop(let_in(limiter.key("other").acquire()));
        let told = ["one", "other"].map(|key| {
            let rejected = refused(limiter.key(key).acquire());
            (rejected.spent(), rejected.retry_after())
        });
        assert_eq!(told, [(1, Some(40 * SECOND)), (1, Some(MINUTE))]);
        advance(40 * SECOND).await;
        drop(let_in(limiter.key("one").acquire()));
        let rejected = refused(limiter.key("one").acquire());
        assert_eq!(
            rejected.to_string(),
            "concurrency limit `rate-spent-keys` reached: 1 of 1 starts of this window spent, the \
             next in 60s, 0 waiting"
        );
        sleep(MINUTE).await;
    }
}

/// A key that is always in use is never forgotten, so that the limiter has to forget its old starts
/// separately.
#[tokio::test(start_paused = true)]
async fn a_key_that_stays_is_told_of_the_windows_that_are_not_over() {
    let limiter = Limiter::new("rate-spent-stays", 2).per(MINUTE).keyed().max_waiting(0);
    let held = let_in(limiter.key(1).acquire());
    for _ in 0..3 {
        drop(let_in(limiter.key(1).acquire()));
        advance(20 * SECOND).await;
        let rejected = refused(limiter.key(1).acquire());
        assert_eq!((rejected.spent(), rejected.in_use()), (1, 1));
        assert_eq!(rejected.retry_after(), Some(40 * SECOND));
        advance(40 * SECOND).await;
    }
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn where_the_total_is_spent_that_is_told() {
    let limiter = Limiter::new("rate-spent-total", 2).per(MINUTE).keyed().total(3).max_waiting(0);
    for key in [1, 2, 2] {
        drop(let_in(limiter.key(key).acquire()));
        advance(SECOND).await;
    }
    let rejected = refused(limiter.key(3).acquire());
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `rate-spent-total` reached: 3 of 3 starts of this window spent by all \
         keys, the next in 57s, 0 waiting"
    );
    assert_eq!((rejected.spent(), rejected.retry_after()), (3, Some(57 * SECOND)));
    // Its own window is over later than the first window of all.
    assert_eq!(refused(limiter.key(2).acquire()).retry_after(), Some(58 * SECOND));
    // Its own window is over as soon as the first window of all is.
    let held = [at_once(limiter.key(1).acquire().weight(0)).unwrap()];
    assert_eq!(refused(limiter.key(1).acquire()).retry_after(), Some(57 * SECOND));
    drop(held);
}

/// The clock of a paused runtime may be hours ahead, and no call waits for that long.
#[test]
fn no_call_is_told_to_wait_for_longer_than_a_window() {
    static LIMITER: Limiter = Limiter::new("rate-spent-ahead", 1).per(MINUTE).scope(Scope::Process);

    let ahead = limit_tests::runtimes::paused();
    ahead.block_on(async {
        advance(60 * MINUTE).await;
        drop(LIMITER.acquire().await);
    });
    let rejected = LIMITER.try_acquire().unwrap_err();
    assert_eq!(rejected.spent(), 1);
    assert!(rejected.retry_after().expect("it is known") <= MINUTE);
}
