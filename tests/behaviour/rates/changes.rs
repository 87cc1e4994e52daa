//! Permits that cool when the limit changes or their runtime ends.

use super::{MINUTE, SECOND};
use limit_runtime::Limiter;
use limit_tests::figures::assert_figures;
use limit_tests::polling::{permit, ready, served, waiter};
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep};

#[tokio::test(start_paused = true)]
async fn raising_the_limit_while_permits_cool_lets_more_start() {
    let limiter = Limiter::new("rates-raised", 1).per(MINUTE);
    drop(permit(&limiter));
    let mut waiting: Vec<_> = (0..4).map(|number| (number, waiter(limiter.acquire()))).collect();
    limiter.set_limit(3);
    assert_eq!(ready(&mut waiting).len(), 2);
    assert_figures(&limiter, 0, 2);
    sleep(MINUTE).await;
    yield_now().await;
    assert_eq!(ready(&mut waiting).len(), 2);
    assert!(limiter.try_acquire().is_ok(), "the third");
    assert!(limiter.try_acquire().is_err());
}

#[tokio::test(start_paused = true)]
async fn lowering_the_limit_while_permits_cool_takes_those_first() {
    let limiter = Limiter::new("rates-lowered", 4).per(MINUTE);
    let held = [permit(&limiter), permit(&limiter)];
    drop((permit(&limiter), permit(&limiter)));
    limiter.set_limit(1);
    assert_figures(&limiter, 2, 0);
    limiter.try_acquire().unwrap_err();
    advance(MINUTE).await;
    // Two of the four permits have cooled and are gone. The other two are out: one more than the
    // limit.
    limiter.try_acquire().unwrap_err();
    let [first, second] = held;
    drop(first);
    limiter.try_acquire().unwrap_err();
    drop(second);
    drop(limiter.try_acquire().expect("one is free"));
    limiter.try_acquire().unwrap_err();
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn paused_at_zero_cooled_permits_wait_for_the_limit_to_be_raised() {
    let limiter = Limiter::new("rates-paused", 2).per(MINUTE);
    drop((permit(&limiter), permit(&limiter)));
    let mut waiting: Vec<_> = (0..2).map(|number| (number, waiter(limiter.acquire()))).collect();
    limiter.set_limit(0);
    sleep(10 * MINUTE).await;
    assert!(ready(&mut waiting).is_empty());
    limiter.set_limit(2);
    assert_eq!(ready(&mut waiting).len(), 2);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_runtime_that_ends_while_permits_cool_leaves_nothing_to_the_next() {
    static LIMITER: Limiter = Limiter::new("rates-ended", 2).per(MINUTE);

    for _ in 0..4 {
        let runtime =
            Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let mut kept = None;
        runtime.block_on(async {
            drop((permit(&LIMITER), permit(&LIMITER)));
            tokio::spawn(async { drop(LIMITER.acquire().await) });
            let mut waiting = waiter(LIMITER.acquire());
            sleep(SECOND).await;
            assert_figures(&LIMITER, 0, 2);
            assert!(waiting.poll().is_pending());
            kept = Some(waiting);
        });
        drop(runtime);
        assert_figures(&LIMITER, 0, 0);
        let next = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        next.block_on(async {
            let mut waiting = kept.expect("it has waited");
            drop(served(&mut waiting));
            drop(permit(&LIMITER));
            let begin = Instant::now();
            drop(LIMITER.acquire().await);
            assert_eq!(begin.elapsed(), MINUTE);
        });
    }
}

#[test]
fn a_waiter_that_moves_on_is_served_when_a_window_of_the_next_runtime_ends() {
    static LIMITER: Limiter = Limiter::new("rates-moved", 1).per(MINUTE);

    let paused = || Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (first, second) = (paused(), paused());
    let moved = {
        let _in_it = first.enter();
        drop(permit(&LIMITER));
        waiter(LIMITER.acquire())
    };
    second.block_on(async { drop(permit(&LIMITER)) });
    drop(first);
    second.block_on(async {
        let begin = Instant::now();
        drop(moved.await);
        assert_eq!(begin.elapsed(), MINUTE);
        assert_figures(&LIMITER, 0, 0);
    });
}
