//! Calls that take the permits of several limiters as one.

mod model;
mod options;
mod waiting;

use limit_runtime::{KeyedLimiter, Limiter, Permit, SharedLimiter, acquire_all};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, permit, served, waiter};
use std::sync::Arc;

/// Returns two limiters of 1 permit, the one first for which a call for both waits first if none is free.
///
/// Each is used: 1 call was admitted at once, and at the first 1 was cancelled.
fn two_in_order(name: &'static str) -> [Limiter; 2] {
    let [a, b] = [Limiter::new(name, 1), Limiter::new(name, 1)];
    let held = (permit(&a), permit(&b));
    drop(waiter(acquire_all((&a, &b))));
    drop(held);
    if total(&a).cancelled == 1 { [a, b] } else { [b, a] }
}

#[test]
fn a_call_takes_all_permits_that_are_free_and_gives_all_of_them_back() {
    let (a, b) = (Limiter::new("together-a", 2), Limiter::new("together-b", 1));
    let both = at_once(acquire_all((&a, &b)));
    assert_eq!(both.permits().each_ref().map(Permit::weight), [1, 1]);
    assert_figures(&a, 1, 0);
    assert_figures(&b, 1, 0);
    drop(both);
    assert_all_free(&a);
    assert_all_free(&b);
}

#[test]
fn a_call_takes_none_until_it_has_all() {
    let (a, b) = (Limiter::new("together-none-a", 1), Limiter::new("together-none-b", 1));
    for limits in [[&a, &b], [&b, &a]] {
        let held = permit(&b);
        let mut both = waiter(acquire_all(limits));
        assert_figures(&a, 0, 0);
        assert_figures(&b, 1, 1);
        // So another call may use what it does not hold.
        drop(permit(&a));
        drop(held);
        let both = served(&mut both);
        assert_figures(&a, 1, 0);
        assert_figures(&b, 1, 0);
        drop(both);
    }
}

#[test]
fn one_permit_can_be_given_back_before_the_others() {
    let (a, b) = (Limiter::new("together-apart-a", 1), Limiter::new("together-apart-b", 1));
    let [of_a, of_b] = at_once(acquire_all((&a, &b))).into_permits();
    drop(of_b);
    assert_figures(&a, 1, 0);
    assert_all_free(&b);
    assert_eq!(
        of_a.limiter().map(|limiter| limiter.name().to_owned()),
        Some("together-apart-a".into())
    );
}

#[test]
fn limiters_of_all_kinds_can_be_taken_together() {
    static STATIC: Limiter = Limiter::new("together-kinds-static", 1);
    let keyed: KeyedLimiter = Limiter::new("together-kinds-keyed", 1).keyed();
    let arc = Arc::new(Limiter::new("together-kinds-arc", 1));
    let boxed = Box::new(Limiter::new("together-kinds-box", 1));
    let shared = SharedLimiter::from(&arc);
    let other = Limiter::new("together-kinds-other", 5);
    let all = at_once(acquire_all((
        &STATIC,
        keyed.key("k"),
        keyed_by_number().key(7),
        &arc,
        &boxed,
        &shared,
        other.acquire().priority(3),
        &other,
    )));
    assert_eq!(all.permits().len(), 8);
    assert_eq!(total(&keyed).in_use, 1);
    assert_figures(&arc, 1, 0);
    drop(all);
    assert_all_free(&other);

    let [first, _] = at_once(acquire_all([&STATIC, &other])).into_permits();
    assert_figures(&STATIC, 1, 0);
    drop(first);
}

fn keyed_by_number() -> &'static KeyedLimiter {
    static KEYED: KeyedLimiter = Limiter::new("together-kinds-number", 1).keyed();
    &KEYED
}

#[test]
fn a_limiter_that_is_named_twice_counts_once() {
    let (a, b) = (Limiter::new("together-twice-a", 1), Limiter::new("together-twice-b", 5));
    let all = at_once(acquire_all((&a, &b, &a)));
    assert_figures(&a, 1, 0);
    assert_eq!(all.permits().each_ref().map(Permit::weight), [1, 1, 0]);
    drop(all);
    assert_all_free(&a);

    // The larger weight counts, wherever it stands.
    let call = acquire_all((&b, b.acquire().weight(4), b.acquire().weight(2)));
    let all = at_once(call).expect("four are free");
    assert_figures(&b, 4, 0);
    drop(all);
    assert_all_free(&b);
    assert_eq!(total(&b).admitted_at_once, 1 + 1 + 5);
}

#[test]
#[should_panic = "names concurrency limiter `together-keys` twice"]
fn a_limiter_with_keys_cannot_be_named_twice() {
    let keyed: KeyedLimiter = Limiter::new("together-keys", 1).keyed();
    drop(at_once(acquire_all((keyed.key("a"), keyed.key("b")))));
}

#[test]
fn a_limiter_that_nothing_has_used_yet_is_as_free_as_any_other() {
    let [a, b] = [Limiter::new("together-first-a", 1), Limiter::lazy("together-first-b", || 1)];
    let held = permit(&a);
    let mut both = waiter(acquire_all((&b, &a)));
    let mut next = waiter(acquire_all((&a, &b)));
    drop(held);
    drop(served(&mut both));
    drop(served(&mut next));
}

#[test]
fn keys_are_limited_each_by_itself() {
    let (db, keyed) =
        (Limiter::new("together-keyed-db", 9), Limiter::new("together-keyed", 1).keyed());
    let first = at_once(acquire_all((&db, keyed.key("a"))));
    let other = at_once(acquire_all((keyed.key("b"), &db)));
    let mut second = waiter(acquire_all((&db, keyed.key("a"))));
    assert_figures(&db, 2, 0);
    assert_eq!((total(&keyed).in_use, total(&keyed).waiting), (2, 1));
    drop(other);
    assert_waits(&mut second);
    drop(first);
    drop(served(&mut second));
    assert_all_free(&db);
    assert_eq!(total(&keyed).in_use, 0);
}

#[test]
fn the_future_says_which_limiters_it_waits_for_and_is_send() {
    fn is_send<T: Send + Sync + Unpin>(value: T) -> T {
        value
    }
    let (a, b) = (Limiter::new("together-debug-a", 1), Limiter::new("together-debug-b", 1));
    let mut call = Box::pin(is_send(acquire_all((&a, &b))));
    let text = format!("{call:?}");
    assert!(text.contains("together-debug-a") && text.contains("together-debug-b"), "{text}");
    drop(is_send(at_once(call.as_mut())));
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| at_once(call.as_mut())));
    let message = *again.unwrap_err().downcast::<&str>().expect("a message");
    assert!(message.contains("polled after it was ready"), "{message}");
}
