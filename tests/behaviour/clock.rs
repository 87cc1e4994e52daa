//! tokio's clock measures waits, also the paused clock of a test.

use limit_runtime::Limiter;
use limit_tests::figures::total;
use limit_tests::polling::{permit, waiter};
use limit_tests::programs::is_alone;
use limit_tests::runtimes::paused;
use std::time::Duration;

const WAIT: Duration = Duration::from_millis(10);

fn wait_once(limiter: &Limiter) {
    let held = permit(limiter);
    let waiting = waiter(limiter.acquire());
    drop(held);
    drop(waiting);
}

/// Needs a process of its own, in which no limiter has been used.
#[test]
fn a_wait_is_measured_on_a_clock_that_is_behind_the_first_that_was_used() {
    if !is_alone("clock::a_wait_is_measured_on_a_clock_that_is_behind_the_first_that_was_used") {
        return;
    }
    paused().block_on(async {
        tokio::time::advance(Duration::from_secs(3600)).await;
        wait_once(&Limiter::new("clock-ahead", 1));
    });
    paused().block_on(async {
        let limiter = Limiter::new("clock-behind", 1);
        let held = permit(&limiter);
        let (next, ()) = tokio::join!(limiter.acquire(), async {
            tokio::time::sleep(WAIT).await;
            drop(held);
        });
        assert_eq!(total(&limiter).wait.max, WAIT);
        drop(next);
    });
}

#[test]
fn outside_any_runtime_waits_are_measured_too() {
    let limiter = Limiter::new("clock-none", 1);
    let held = permit(&limiter);
    let mut waiting = waiter(limiter.acquire());
    drop(held);
    drop(limit_tests::polling::served(&mut waiting));
    assert_eq!(total(&limiter).wait.count, 1);
}
