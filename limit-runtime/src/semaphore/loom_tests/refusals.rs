//! Calls that the word refuses.

use super::{assert_all_free, bind, bound_to, enter, model, set_limit, take};
use crate::policy::Policy;
use crate::rejected::RejectedKind;
use crate::semaphore::{Entered, Held, Semaphore};
use crate::sync::{AtomicU32, Ordering};
use loom::thread;
use std::sync::Arc;

const NOBODY_WAITS: Policy = Policy { max_waiting: 0, ..Policy::PLAIN };

/// Makes a call as `try_acquire` does.
fn try_once(
    semaphore: &'static Semaphore,
    still_ours: impl Fn() -> bool,
) -> Result<Option<Held>, RejectedKind> {
    if let Some(held) = semaphore.try_acquire(1, &still_ours) {
        return Ok(Some(held));
    }
    let refusal = semaphore.refuse_by_word(1, || false, &still_ours);
    let refusal = match refusal.map_or_else(|| enter(semaphore, &still_ours), Entered::Refused) {
        Entered::Admitted(held) => return Ok(Some(held)),
        Entered::Refused(refusal) => refusal,
        Entered::Stale | Entered::Unbound => return Ok(None),
        other => panic!("{other:?}"),
    };
    assert!(refusal.kind != RejectedKind::NoPermits || refusal.in_use > 0, "{refusal:?}");
    Err(refusal.kind)
}

fn rejected(semaphore: &Semaphore) -> u64 {
    let reading = semaphore.read(&mut Vec::new());
    reading.current.rejected.total() + reading.past.rejected.total()
}

#[test]
fn a_refusal_against_a_release_and_a_raised_limit_is_counted_or_admitted() {
    model(|| {
        let semaphore = bound_to(1, &NOBODY_WAITS);
        let held = take(semaphore, 1);
        let caller = thread::spawn(move || try_once(semaphore, || true).is_err());
        let setter = thread::spawn(move || set_limit(semaphore, 2));
        drop(held);
        let refused = caller.join().unwrap();
        setter.join().unwrap();
        let reading = semaphore.read(&mut Vec::new());
        assert_eq!(reading.current.rejected.no_permits, u64::from(refused));
        assert_eq!(reading.current.admitted_at_once, 1 + u64::from(!refused));
        assert_all_free(semaphore, 2);
    });
}

#[test]
fn no_call_is_refused_while_a_permit_is_free() {
    model(|| {
        let semaphore = bound_to(2, &NOBODY_WAITS);
        let other =
            thread::spawn(move || assert!(matches!(try_once(semaphore, || true), Ok(Some(_)))));
        assert!(matches!(try_once(semaphore, || true), Ok(Some(_))));
        set_limit(semaphore, 3);
        assert!(matches!(try_once(semaphore, || true), Ok(Some(_))));
        other.join().unwrap();
        assert_eq!(rejected(semaphore), 0);
        assert_all_free(semaphore, 3);
    });
}

#[test]
fn a_refusal_against_a_close_has_one_of_the_two_reasons() {
    model(|| {
        let semaphore = bound_to(1, &NOBODY_WAITS);
        let held = take(semaphore, 1);
        let closer = thread::spawn(move || {
            semaphore.close().wake();
            semaphore.serve_all();
            assert!(matches!(try_once(semaphore, || true), Err(RejectedKind::Closed)));
        });
        let kind = try_once(semaphore, || true).expect_err("the permit is out");
        assert!(matches!(kind, RejectedKind::NoPermits | RejectedKind::Closed));
        closer.join().unwrap();
        let counts = semaphore.read(&mut Vec::new()).current.rejected;
        assert_eq!((counts.get(kind) > 0, counts.total()), (true, 2));
        drop(held);
        semaphore.reopen().wake();
        semaphore.serve_all();
        assert_all_free(semaphore, 1);
    });
}

#[test]
fn a_refusal_against_an_unbinding_is_counted_once_in_all() {
    model(|| {
        let semaphore = bound_to(1, &NOBODY_WAITS);
        let owner = Arc::new(AtomicU32::new(1));
        let held = take(semaphore, 1);
        let caller = {
            let owner = Arc::clone(&owner);
            thread::spawn(move || {
                let still_ours = || owner.load(Ordering::Acquire) == 1;
                try_once(semaphore, still_ours).is_err()
            })
        };
        drop(held);
        owner.store(2, Ordering::Release);
        if semaphore.unbind(false, &mut Vec::new()) {
            bind(semaphore, 1);
        }
        let refused = caller.join().unwrap();
        assert_eq!(rejected(semaphore), u64::from(refused));
        assert_all_free(semaphore, 1);
    });
}
