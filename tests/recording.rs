//! A limiter that counts on recorded calls says so while they are not recorded.
//!
//! One test, because recording is switched on for the whole process.

use limit_runtime::{Limiter, OnDeadlock, Rejected, diagnostics};

#[test]
fn a_limiter_that_refuses_in_deadlocks_warns_until_calls_are_recorded() {
    let limiter: Limiter<Rejected> =
        Limiter::new("recording", 1).max_waiting(9).on_deadlock(OnDeadlock::Refuse);
    let plain = Limiter::new("recording-not-needed", 1);
    drop((limiter.try_acquire(), plain.try_acquire()));
    let warnings = limiter.snapshot().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("`diagnostics::record(true)`"), "{warnings:?}");
    assert!(plain.snapshot().warnings.is_empty());
    diagnostics::record(true);
    assert!(limiter.snapshot().warnings.is_empty());
    let later: Limiter<Rejected> =
        Limiter::new("recording-later", 1).max_waiting(9).on_deadlock(OnDeadlock::Refuse);
    drop(later.try_acquire());
    assert!(later.snapshot().warnings.is_empty());
}
