//! Waits are measured by tokio's clock, that of a test's paused runtime too.

use crate::support::{permit, total, waiter};
use limit_runtime::Limiter;
use std::process::Command;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const PART: &str = "LIMIT_BEHAVIOUR_CLOCK";
const WAIT: Duration = Duration::from_millis(10);

fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be made")
}

fn wait_once(limiter: &Limiter) {
    let held = permit(limiter);
    let waiting = waiter(limiter.acquire());
    drop(held);
    drop(waiting);
}

/// Needs a process in which no limiter has been used, hence one of its own.
#[test]
fn a_wait_is_measured_on_a_clock_that_is_behind_the_first_that_was_used() {
    if std::env::var_os(PART).is_none() {
        let program = std::env::current_exe().expect("the test knows its program");
        let test = "clock::a_wait_is_measured_on_a_clock_that_is_behind_the_first_that_was_used";
        let output = Command::new(program).args([test, "--exact"]).env(PART, "1").output();
        let output = output.expect("the test can run itself");
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
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
    drop(crate::support::served(&mut waiting));
    assert_eq!(total(&limiter).wait.count, 1);
}
