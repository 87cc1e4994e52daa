//! Keys beside bounds, orders, weights and deadlines.

use super::MS;
use crate::listening::heard;
use limit_runtime::EventKind::{Admitted, Released};
use limit_runtime::{Limiter, Order, RejectedKind};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, ready, refused, served, waiter};
use tokio::time::sleep;

#[test]
fn the_bound_on_waiters_is_for_each_key_and_a_refusal_has_the_keys_figures() {
    let limiter = Limiter::new("keys-bound", 2).max_waiting(3).keyed();
    let mut all = Vec::new();
    for key in ["a", "b", "c"] {
        let held = [let_in(limiter.key(key).acquire()), let_in(limiter.key(key).acquire())];
        let waiting: Vec<_> = (0..3).map(|_| waiter(limiter.key(key).acquire())).collect();
        for _ in 0..2 {
            let rejected = refused(limiter.key(key).acquire());
            assert_eq!(rejected.kind(), RejectedKind::QueueFull);
            assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 2, 3));
        }
        all.push((held, waiting));
    }
    assert_figures(&limiter, 6, 9);
    assert_eq!((total(&limiter).keys, total(&limiter).rejected.queue_full), (3, 6));
    drop(all);
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

/// The documentation of `Rejected` says: "with keys, those of the call's key".
#[test]
fn whoever_is_refused_is_told_the_figures_of_its_key_whatever_the_reason() {
    let limiter = Limiter::new("keys-figures", 2).max_waiting(1).keyed();
    let held: Vec<_> = (0..3).map(|key| let_in(limiter.key(key).acquire())).collect();
    let heavy = |key: i32| refused(limiter.key(key).acquire().weight(3));
    let rejected = heavy(0);
    assert_eq!(rejected.kind(), RejectedKind::TooHeavy);
    assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 1, 0), "too heavy");
    let rejected = heavy(7);
    assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 0, 0), "a new key");
    limiter.close();
    let rejected = refused(limiter.key(0).acquire().weight(1));
    assert_eq!(rejected.kind(), RejectedKind::Closed);
    assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 1, 0), "closed");
    drop(held);
}

/// The same for a call that is refused while it waits.
#[test]
fn whoever_is_refused_while_it_waits_is_told_the_figures_of_its_key() {
    let limiter = Limiter::new("keys-figures-waiting", 2).order(Order::Lifo).max_waiting(1).keyed();
    let others: Vec<_> = (1..4).map(|key| let_in(limiter.key(key).acquire())).collect();
    let held = let_in(limiter.key(0).acquire().weight(2));
    let mut oldest = waiter(limiter.key(0).acquire());
    let newest = waiter(limiter.key(0).acquire());
    let rejected = served(&mut oldest).unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::Evicted);
    // No other call waited at this moment.
    assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 2, 0));
    drop((others, held, newest));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn each_keys_newest_are_served_first_and_its_oldest_evicted() {
    let limiter = Limiter::new("keys-lifo", 1).order(Order::Lifo).max_waiting(2).keyed();
    let held = [let_in(limiter.key(0_usize).acquire()), let_in(limiter.key(1_usize).acquire())];
    let mut waiting: Vec<_> =
        (0..6).map(|number| (number, waiter(limiter.key(number % 2).acquire()))).collect();
    let evicted: Vec<_> = ready(&mut waiting)
        .into_iter()
        .map(|(number, result)| (number, result.unwrap_err().kind()))
        .collect();
    assert_eq!(evicted, [(0, RejectedKind::Evicted), (1, RejectedKind::Evicted)]);
    assert_figures(&limiter, 2, 4);
    drop(held);
    let mut order = Vec::new();
    while !waiting.is_empty() {
        order.extend(ready(&mut waiting).into_iter().map(|(number, result)| {
            drop(result.unwrap());
            number
        }));
    }
    let of_key = |odd: usize| order.iter().copied().filter(|n| n % 2 == odd).collect::<Vec<_>>();
    assert_eq!((of_key(0), of_key(1)), (vec![4, 2], vec![5, 3]));
    assert_eq!(total(&limiter).keys, 0);
}

#[tokio::test(start_paused = true)]
async fn priorities_hold_within_a_key() {
    let limiter = Limiter::new("keys-priorities", 1).keyed();
    let held = [at_once(limiter.key(0).acquire()), at_once(limiter.key(1).acquire())];
    let mut waiting: Vec<_> = (0..)
        .zip([(0, 0), (1, 9), (0, 5), (1, 2), (0, 5), (1, 3)])
        .map(|(number, (key, priority))| {
            (number, waiter(limiter.key(key).acquire().priority(priority)))
        })
        .collect();
    drop(held);
    let mut order = Vec::new();
    while !waiting.is_empty() {
        order.extend(ready(&mut waiting).into_iter().map(|(number, _)| number));
    }
    let of_key = |odd: usize| order.iter().copied().filter(|n| n % 2 == odd).collect::<Vec<_>>();
    assert_eq!((of_key(0), of_key(1)), (vec![2, 4, 0], vec![1, 5, 3]));
    assert_eq!(total(&limiter).keys, 0);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_call_waits_as_long_as_it_may() {
    let limiter = Limiter::new("keys-max-wait", 1).max_wait(50 * MS).keyed();
    let held = let_in(limiter.key("a").acquire());
    let rejected = limiter.key("a").acquire().await.unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, 50 * MS));
    assert_eq!((rejected.limit(), rejected.in_use()), (1, 1));
    let rejected = limiter.key("a").acquire().max_wait(5 * MS).await.unwrap_err();
    assert_eq!(rejected.waited(), 5 * MS);
    let key = limiter.key("a");
    let (admitted, ()) = tokio::join!(key.acquire(), async {
        sleep(49 * MS).await;
        drop(held);
    });
    drop(admitted.expect("the permit came in time"));
    assert_eq!((total(&limiter).keys, total(&limiter).rejected.timed_out), (0, 2));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_heavy_waiter_of_a_key_is_passed_by_nobody_of_that_key() {
    let limiter = Limiter::new("keys-weights", 3).keyed();
    let held = at_once(limiter.key(1).acquire());
    let mut heavy = waiter(limiter.key(1).acquire().weight(3));
    let mut light = waiter(limiter.key(1).acquire());
    let other = let_in(limiter.key(2).acquire().weight(3));
    assert_waits(&mut light);
    assert_eq!(refused(limiter.key(3).acquire().weight(4)).kind(), RejectedKind::TooHeavy);
    drop(held);
    let heavy = served(&mut heavy).unwrap();
    assert_figures(&limiter, 6, 1);
    drop(heavy);
    drop(served(&mut light));
    drop(other);
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn closing_refuses_the_waiters_of_all_keys_and_forgets_them() {
    let limiter = Limiter::new("keys-closed", 1).max_waiting(10).keyed().total(2);
    let held = [let_in(limiter.key(0_usize).acquire()), let_in(limiter.key(1_usize).acquire())];
    let mut waiting: Vec<_> =
        (0..9).map(|number| (number, waiter(limiter.key(number % 3).acquire()))).collect();
    assert_eq!(total(&limiter).keys, 3);
    limiter.close();
    assert_eq!(total(&limiter).keys, 2, "the third has no holder");
    let refused_all = ready(&mut waiting);
    assert_eq!(refused_all.len(), 9);
    for (_, result) in refused_all {
        assert_eq!(result.unwrap_err().kind(), RejectedKind::Closed);
    }
    assert_eq!(refused(limiter.key(5).acquire()).kind(), RejectedKind::Closed);
    assert_figures(&limiter, 2, 0);
    drop(held);
    assert_eq!(total(&limiter).keys, 0);
    limiter.reopen();
    drop(let_in(limiter.key(5).acquire()));
}

/// A call of a key goes a shorter way while nothing but keys is on. Permits are taken on one way here and come back on
/// the other.
#[test]
fn events_closing_and_shadows_begin_and_end_while_keys_are_in_use() {
    let limiter = Limiter::new("keys-modes", 1).max_waiting(1).keyed();
    let before = let_in(limiter.key("a").acquire());
    let mut events = limiter.subscribe();
    let other = let_in(limiter.key("b").acquire());
    drop(before);
    assert_eq!(heard(&mut events), [(Admitted, 2, 0), (Released, 1, 0)]);
    let mut waiting = waiter(limiter.key("b").acquire());
    drop(events);
    drop(other);
    let other = served(&mut waiting).unwrap();
    drop(let_in(limiter.key("a").acquire()));

    limiter.close();
    assert_eq!(refused(limiter.key("a").acquire()).kind(), RejectedKind::Closed);
    assert_eq!(limiter.key("a").try_acquire().unwrap_err().kind(), RejectedKind::Closed);
    limiter.reopen();
    drop(let_in(limiter.key("a").acquire()));

    limiter.set_shadow(true).unwrap();
    let over = let_in(limiter.key("b").acquire());
    limiter.set_shadow(false).unwrap();
    assert_eq!(limiter.key("b").try_acquire().unwrap_err().in_use(), 2);
    drop(other);
    assert_eq!(limiter.key("b").try_acquire().unwrap_err().in_use(), 1);
    drop(over);

    limiter.set_enabled(false);
    let free = [let_in(limiter.key("b").acquire()), let_in(limiter.key("b").acquire())];
    assert_figures(&limiter, 0, 0);
    limiter.set_enabled(true);
    let held = let_in(limiter.key("b").acquire());
    drop(free);
    assert_figures(&limiter, 1, 0);
    drop(held);
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}
