//! The figures and the refusals of a ramp.

use super::{MS, SECOND, pass};
use limit_runtime::{Limiter, RejectedKind};
use limit_tests::figures::total;
use limit_tests::polling::{let_in, permit, refused, waiter};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn figures_say_how_many_permits_are_withheld_at_the_moment() {
    let limiter = Limiter::new("ramp-figures", 5).ramp(40 * SECOND);
    assert_eq!(limiter.snapshot().ramp, Some(40 * SECOND));
    assert_eq!(total(&limiter).withheld, 0, "nothing is known before the first call");
    let held = permit(&limiter);
    for withheld in [4, 3, 2, 1, 0, 0] {
        let snapshot = limiter.snapshot();
        assert_eq!(snapshot.total.withheld, withheld);
        assert_eq!(snapshot.runtimes[0].figures.withheld, withheld);
        assert_eq!((snapshot.total.limit, snapshot.total.in_use), (5, 1));
        let text = snapshot.to_string();
        assert_eq!(text.contains(&format!("(withheld {withheld})")), withheld > 0, "{text}");
        advance(10 * SECOND).await;
    }
    drop(held);
    assert_eq!(limiter.limit(), Some(5));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_how_many_are_let_in_and_when_the_next_one_is() {
    let limiter = Limiter::new("ramp-refusals", 5).max_waiting(1).ramp(40 * SECOND);
    let _held = let_in(limiter.acquire());
    advance(4 * SECOND).await;
    let rejected = limiter.try_acquire().unwrap_err();
    assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::NoPermits, 5));
    assert_eq!(
        rejected.to_string(),
        "concurrency limit `ramp-refusals` reached: 1 of 5 permits in use, 1 let in so far, 0 waiting"
    );
    assert_eq!(rejected.retry_after(), Some(6 * SECOND));
    assert_eq!(limiter.try_acquire_many(3).unwrap_err().retry_after(), Some(26 * SECOND));
    let _waiting = waiter(limiter.acquire());
    let rejected = refused(limiter.acquire());
    assert_eq!(
        (rejected.kind(), rejected.retry_after()),
        (RejectedKind::QueueFull, Some(16 * SECOND))
    );
    pass(40 * SECOND).await;
    let text = limiter.try_acquire_many(5).unwrap_err().to_string();
    assert!(!text.contains("let in"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_during_the_ramp_is_refused_at_its_time() {
    let limiter = Limiter::new("ramp-times-out", 5).max_wait(SECOND).ramp(40 * SECOND);
    let _held = let_in(limiter.acquire());
    let rejected = limiter.acquire().await.unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, SECOND));
    assert_eq!(rejected.retry_after(), Some(9 * SECOND));
    let patient = limiter.acquire().max_wait(9 * SECOND + MS).await.unwrap();
    assert_eq!(patient.weight(), 1);
}
