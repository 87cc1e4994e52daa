//! Options and methods that need a runtime, used outside one: the panic says which, of which
//! limiter.

use limit_runtime::{Limiter, Rejected, concurrency_limit};
use limit_tests::figures::assert_all_free;
use limit_tests::polling::permit;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

/// Asserts that the future panics when it is polled outside a runtime.
#[track_caller]
fn assert_needs_runtime(option: &str, limiter: &str, future: impl Future) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context).is_ready()));
    let panic = polled.expect_err("there is no runtime");
    let message = panic.downcast_ref::<String>().expect("it says why");
    let expected = format!(
        "`{option}` of concurrency limit `{limiter}` needs a tokio runtime, and this call is \
         polled outside one: poll it in a task, in `Runtime::block_on`, or under `Handle::enter`"
    );
    assert_eq!(*message, expected);
}

const SOON: Duration = Duration::from_millis(50);

#[test]
fn a_wait_with_an_end() {
    #[concurrency_limit(1, name = "needs-attribute", max_wait = "50ms")]
    async fn limited(body: impl Future<Output = ()>) -> Result<(), Rejected> {
        body.await;
        Ok(())
    }

    let limiter = Limiter::new("needs-max-wait", 1);
    let held = permit(&limiter);
    assert_needs_runtime("max_wait", "needs-max-wait", limiter.acquire().max_wait(SOON));
    drop(held);
    assert_all_free(&limiter);

    let mut first = pin!(limited(std::future::pending()));
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_needs_runtime("max_wait", "needs-attribute", limited(async {}));
}

#[test]
fn a_wait_for_a_window() {
    let limiter = Limiter::new("needs-per", 1).per(SOON);
    drop(permit(&limiter));
    assert_needs_runtime("per", "needs-per", limiter.acquire());
}

#[test]
fn a_wait_for_a_ramp() {
    let limiter = Limiter::new("needs-ramp", 2).ramp(SOON);
    let _held = permit(&limiter);
    assert_needs_runtime("ramp", "needs-ramp", limiter.acquire());
}

#[test]
fn work_on_the_blocking_pool() {
    #[concurrency_limit(1, name = "needs-attribute-blocking", blocking)]
    fn limited() {}

    let limiter = Limiter::new("needs-blocking", 1);
    assert_needs_runtime("blocking", "needs-blocking", limiter.blocking(|| ()));
    assert_all_free(&limiter);
    let keyed = Limiter::new("needs-blocking-keyed", 1).keyed();
    assert_needs_runtime("blocking", "needs-blocking-keyed", keyed.key(1).blocking(|| ()));
    assert_eq!(keyed.snapshot().total.in_use, 0);
    assert_needs_runtime("blocking", "needs-attribute-blocking", limited());
}

#[test]
fn a_drain_with_an_end() {
    let limiter = Limiter::new("needs-drain", 1);
    assert_needs_runtime("drain_within", "needs-drain", limiter.drain_within(SOON));
}

#[cfg(feature = "task")]
#[test]
fn a_task() {
    use limit_runtime::task::Pool;

    let limiter = std::sync::Arc::new(Limiter::new("needs-spawn", 1));
    assert_needs_runtime("spawn", "needs-spawn", limiter.spawn(async {}));
    assert_needs_runtime("spawn", "needs-spawn", Pool::over(&limiter).spawn(async {}));
    assert_all_free(&limiter);
}
