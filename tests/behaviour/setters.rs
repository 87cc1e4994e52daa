//! Setters of a limiter that is in use already.

use limit_runtime::{Limiter, OnDeadlock, Order, Rejected, Scope};
use limit_tests::polling::permit;
use limit_tests::programs::is_alone;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The message of the last panic, and the line of the source code that it names.
static LAST: Mutex<Option<(String, u32)>> = Mutex::new(None);

/// Returns the message of a setter's panic and its line in this file.
fn panic_of(set: impl FnOnce(Limiter)) -> (String, u32) {
    let limiter = Limiter::new("setters", 1);
    drop(permit(&limiter));
    let result = catch_unwind(AssertUnwindSafe(|| set(limiter)));
    assert!(result.is_err(), "a setter after the first use panics");
    LAST.lock().unwrap_or_else(PoisonError::into_inner).take().expect("the hook has seen it")
}

#[test]
fn a_setter_after_the_first_use_panics_with_its_name_at_its_caller() {
    if !is_alone("setters::a_setter_after_the_first_use_panics_with_its_name_at_its_caller") {
        return;
    }
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let message = payload.downcast_ref::<String>().cloned();
        let message = message.or_else(|| Some((*payload.downcast_ref::<&str>()?).to_owned()));
        let line = info.location().filter(|at| at.file() == file!()).map_or(0, Location::line);
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((message.unwrap_or_default(), line));
    }));
    // Each case stands on one line, so that `line!()` is the line of its setter.
    #[rustfmt::skip]
    let panics = [
        ("scope", line!(), panic_of(|limiter| drop(limiter.scope(Scope::Process)))),
        ("env", line!(), panic_of(|limiter| drop(limiter.env("SETTERS")))),
        ("max_waiting", line!(), panic_of(|limiter| drop(limiter.max_waiting(1)))),
        ("max_wait", line!(), panic_of(|limiter| drop(limiter.max_wait(Duration::ZERO)))),
        ("on_deadlock", line!(), panic_of(|limiter| drop(limiter.on_deadlock(OnDeadlock::Warn)))),
        ("claim_within", line!(), panic_of(|limiter| drop(limiter.claim_within(Duration::MAX)))),
        ("order", line!(), panic_of(|limiter| drop(limiter.order(Order::Lifo)))),
        ("priority", line!(), panic_of(|limiter| drop(limiter.priority(1)))),
        ("early", line!(), panic_of(|limiter| drop(limiter.early()))),
        ("weight", line!(), panic_of(|limiter| drop(limiter.weight(1)))),
        ("per", line!(), panic_of(|limiter| drop(limiter.per(Duration::from_secs(1))))),
        ("ramp", line!(), panic_of(|limiter| drop(limiter.ramp(Duration::from_secs(1))))),
        ("enabled", line!(), panic_of(|limiter| drop(limiter.enabled(true)))),
        ("shadow", line!(), panic_of(|limiter| drop(Limiter::shadow(limiter)))),
        ("keyed", line!(), panic_of(|limiter| drop(limiter.keyed()))),
    ];
    for (setter, line, (message, at)) in panics {
        assert_eq!(
            message,
            format!("`Limiter::{setter}` must be called before the limiter is used")
        );
        assert_eq!(at, line, "{setter}");
    }

    let keyed = Limiter::new("setters-keyed", 1).keyed();
    drop(keyed.snapshot());
    catch_unwind(AssertUnwindSafe(|| drop(keyed.total(1)))).expect_err("it is in use");
    let (message, _) = LAST.lock().unwrap_or_else(PoisonError::into_inner).take().expect("seen");
    assert_eq!(message, "`Limiter::total` must be called before the limiter is used");
}

#[test]
fn a_setter_that_cannot_be_as_told_says_what_to_write() {
    let message = |set: fn(Limiter)| {
        let limiter = Limiter::new("setters-wrong", 1);
        let payload = catch_unwind(AssertUnwindSafe(|| set(limiter))).expect_err("it panics");
        payload.downcast_ref::<&str>().map(|message| (*message).to_owned())
    };
    assert_eq!(
        message(|limiter| drop(limiter.claim_within(Duration::ZERO))).as_deref(),
        Some(
            "`claim_within` cannot be zero, no call is so quick: write a longer time, or `Duration::MAX` \
             for never"
        ),
    );
    assert_eq!(
        message(|limiter| drop(limiter.on_deadlock(OnDeadlock::Refuse))).as_deref(),
        Some(
            "`OnDeadlock::Refuse` needs a limiter that can refuse calls: call \
             `Limiter::max_waiting` before (`max_waiting(usize::MAX)` sets no bound)"
        ),
    );
}

#[test]
fn a_limiter_whose_setter_panicked_is_gone_and_frees_its_name() {
    let limiter: Limiter<Rejected> = Limiter::new("setters-gone", 1).max_waiting(1);
    drop(limiter.try_acquire().expect("a permit is free"));
    let set = catch_unwind(AssertUnwindSafe(|| limiter.max_waiting(2)));
    assert!(set.is_err());
    assert!(limit_runtime::find("setters-gone").is_none());
}
