//! How a call for several limiters waits, and what the figures show.

use super::two_in_order;
use limit_runtime::{EventKind, Limiter, acquire_all};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, permit, ready, served, waiter};
use std::task::Poll;
use tokio_test::task::spawn;

/// Returns what the limiter has counted: calls admitted at once, after waiting, cancelled and refused.
fn counts(limiter: &Limiter) -> [u64; 4] {
    let total = total(limiter);
    [total.admitted_at_once, total.admitted_after_waiting, total.cancelled, total.rejected.total()]
}

/// Returns what it has counted since.
fn counts_since(limiter: &Limiter, before: [u64; 4]) -> [u64; 4] {
    let now = counts(limiter);
    std::array::from_fn(|count| now[count] - before[count])
}

#[test]
fn a_call_that_lacks_the_other_permit_gives_the_first_one_back() {
    let [a, b] = two_in_order("together-back");
    let before = (counts(&a), counts(&b));
    let held = [permit(&a), permit(&b)];
    let mut both = waiter(acquire_all((&a, &b)));
    assert_figures(&a, 1, 1);
    let [of_a, of_b] = held;
    drop(of_a);
    // It was handed the permit, and does not know yet what it lacks.
    assert!(both.is_woken());
    assert!(both.poll().is_pending());
    assert_figures(&a, 0, 0);
    assert_figures(&b, 1, 1);
    assert_eq!(
        counts_since(&a, before.0),
        [1, 0, 0, 0],
        "the call was not admitted, and not cancelled"
    );
    drop(of_b);
    drop(served(&mut both));
    assert_eq!(counts_since(&a, before.0), [2, 0, 0, 0]);
    assert_eq!(counts_since(&b, before.1), [1, 1, 0, 0]);
    assert_all_free(&a);
    assert_all_free(&b);
}

#[test]
fn a_call_that_gives_a_permit_back_serves_the_next_waiter() {
    let [a, b] = two_in_order("together-next");
    let (of_a, _of_b) = (permit(&a), permit(&b));
    let mut both = waiter(acquire_all((&a, &b)));
    let mut next = waiter(a.acquire());
    drop(of_a);
    assert_waits(&mut next);
    assert!(both.poll().is_pending());
    drop(served(&mut next));
    assert_figures(&a, 0, 0);
}

#[test]
fn after_three_rounds_a_call_holds_what_it_has_so_that_it_does_not_starve() {
    let [a, b] = two_in_order("together-busy");
    let before = (counts(&a), counts(&b));
    let (mut of_a, mut of_b) = (Some(permit(&a)), Some(permit(&b)));
    let mut both = waiter(acquire_all((&b, &a)));
    // Both limiters always have a holder, and one call behind that for both.
    for round in 0..3 {
        let (limiter, held) = if round % 2 == 0 { (&a, &mut of_a) } else { (&b, &mut of_b) };
        assert_figures(limiter, 1, 1);
        let mut next = waiter(limiter.acquire());
        drop(held.take());
        assert!(both.poll().is_pending());
        *held = Some(served(&mut next));
    }
    // From now on it takes `a` first, and keeps it.
    assert_figures(&a, 1, 1);
    assert_figures(&b, 1, 0);
    let mut next = waiter(a.acquire());
    drop(of_a);
    assert!(both.poll().is_pending());
    assert_waits(&mut next);
    assert_figures(&a, 1, 1);
    assert_figures(&b, 1, 1);
    drop(of_b);
    drop(served(&mut both));
    drop(served(&mut next));
    assert_eq!(counts_since(&a, before.0), [1, 4, 0, 0]);
    assert_eq!(counts_since(&b, before.1), [1, 2, 0, 0]);
}

#[test]
fn a_call_that_is_dropped_leaves_its_queue_and_gives_back_what_it_was_handed() {
    let [a, b] = two_in_order("together-drop");
    let before = (counts(&a), counts(&b));
    let (of_a, of_b) = (permit(&a), permit(&b));
    drop(waiter(acquire_all((&a, &b))));
    assert_eq!(counts_since(&a, before.0), [1, 0, 1, 0], "it is cancelled where it waits");
    assert_eq!(counts_since(&b, before.1), [1, 0, 0, 0]);

    let both = waiter(acquire_all((&a, &b)));
    drop(of_a);
    drop(both);
    assert_eq!(counts_since(&a, before.0), [1, 0, 2, 0]);
    drop(of_b);
    drop(acquire_all((&a, &b)));
    assert_all_free(&a);
    assert_all_free(&b);
}

#[test]
fn a_subscriber_hears_of_a_permit_that_is_given_back() {
    let [a, b] = two_in_order("together-told");
    let (of_a, _of_b) = (permit(&a), permit(&b));
    let mut events = a.subscribe();
    let mut both = waiter(acquire_all((&a, &b)));
    drop(of_a);
    assert!(both.poll().is_pending());
    let mut kinds = Vec::new();
    while let Ok(event) = events.try_recv() {
        kinds.push(event.kind);
    }
    let expected =
        [EventKind::Waiting, EventKind::Released, EventKind::Admitted, EventKind::Released];
    assert_eq!(kinds, expected);
}

#[test]
fn calls_that_name_the_limiters_in_different_orders_end() {
    let limits = [1, 2, 1].map(|limit| Limiter::new("together-orders", limit));
    let [a, b, c] = &limits;
    let orders = [[a, b, c], [a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]];
    let calls = orders.iter().cycle().take(60).map(|&order| spawn(acquire_all(order)));
    let mut calls: Vec<_> = calls.enumerate().collect();
    let mut running = Vec::new();
    for (_, call) in &mut calls {
        if let Poll::Ready(all) = call.poll() {
            running.push(all);
            break;
        }
    }
    drop(calls.remove(0));
    for (_, call) in &mut calls {
        assert!(call.poll().is_pending());
    }
    while let Some(all) = running.pop() {
        drop(all);
        while running.is_empty() && calls.iter().any(|(_, call)| call.is_woken()) {
            running.extend(ready(&mut calls).into_iter().map(|(_, all)| all));
        }
    }
    assert_eq!(calls.len(), 0, "nobody waits for ever");
    limits.iter().for_each(assert_all_free);
}
