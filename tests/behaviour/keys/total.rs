//! Caps over all keys.

use limit_runtime::{Acquire, Key, KeyedLimiter, Limiter, Permit, RejectedKind};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, ready, refused, served, waiter};
use std::collections::BTreeMap;
use std::convert::Infallible;
use tokio_test::task::Spawn;

type Call<'a> = Acquire<'a, Infallible, Key<u32>>;

/// Serves all calls as permits come back one by one; returns their numbers in the order of service.
fn order(mut held: Vec<Permit>, mut waiting: Vec<(usize, Spawn<Call<'_>>)>) -> Vec<usize> {
    let mut order = Vec::new();
    while !waiting.is_empty() {
        assert!(!held.is_empty(), "somebody is served");
        drop(held.remove(0));
        for (number, permit) in ready(&mut waiting) {
            order.push(number);
            held.push(permit);
        }
    }
    order
}

#[test]
fn all_keys_together_have_no_more_than_the_total() {
    let limiter = Limiter::new("total-cap", 2).keyed().total(3);
    let mut held: Vec<_> = [1, 1, 2].map(|key| at_once(limiter.key(key).acquire())).into();
    for key in [1, 2, 3] {
        let rejected = limiter.key(key).try_acquire().unwrap_err();
        assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::NoPermits, 2));
    }
    let mut waiting = waiter(limiter.key(3).acquire());
    assert_figures(&limiter, 3, 1);
    held.pop();
    held.push(served(&mut waiting));
    assert_figures(&limiter, 3, 0);
    drop(held);
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_refusal_names_the_total_if_the_key_has_permits_left() {
    let limiter = Limiter::new("total-told", 2).keyed().total(3);
    let _held = [1_u32, 1, 2].map(|key| at_once(limiter.key(key).acquire()));
    let text = |key: u32| limiter.key(key).try_acquire().unwrap_err().to_string();
    let start = "concurrency limit `total-told` reached: ";
    assert_eq!(text(1), format!("{start}2 of 2 permits in use, 0 waiting"));
    assert_eq!(
        text(2),
        format!("{start}1 of 2 permits in use, the total of 3 is reached, 0 waiting")
    );
    limiter.set_total(0);
    assert_eq!(
        text(3),
        format!("{start}0 of 2 permits in use, the total is 0 (paused), 0 waiting")
    );
}

#[test]
fn a_busy_key_with_a_thousand_waiters_and_one_with_one_are_served_in_turn() {
    for limit in [1, 4, 1000] {
        let limiter = Limiter::named("total-turns", limit).keyed().total(1);
        let held = at_once(limiter.key(0).acquire());
        let mut waiting: Vec<_> =
            (0..1000).map(|number| (number, waiter(limiter.key(0).acquire()))).collect();
        waiting.push((1000, waiter(limiter.key(1).acquire())));
        let order = order(vec![held], waiting);
        let place = order.iter().position(|&number| number == 1000).unwrap();
        assert!(place <= 1, "served after {place} of the others, at limit {limit}");
        let busy: Vec<_> = order.into_iter().filter(|&number| number < 1000).collect();
        assert_eq!(busy, (0..1000).collect::<Vec<_>>(), "in order within the key");
        assert_eq!(total(&limiter).keys, 0);
    }
}

#[test]
fn each_waiting_key_gets_as_many_calls_as_any_other() {
    let limiter = Limiter::new("total-shares", 1).keyed().total(1);
    let held = at_once(limiter.key(99).acquire());
    // Six calls of key 0 wait, three of key 1, and one of key 2.
    let waiting = (0..)
        .zip([0, 0, 0, 1, 1, 0, 1, 2, 0, 0])
        .map(|(number, key)| (number, waiter(limiter.key(key).acquire())))
        .collect();
    assert_eq!(order(vec![held], waiting), [0, 3, 7, 1, 4, 2, 6, 5, 8, 9]);
}

#[test]
fn shares_are_equal_also_where_several_permits_go_round() {
    let limiter = Limiter::new("total-several", 2).keyed().total(3);
    let held: Vec<_> = (90..93).map(|key| at_once(limiter.key(key).acquire())).collect();
    let keys: Vec<u32> = [0; 50].into_iter().chain([1; 10]).chain([2; 10]).collect();
    let waiting: Vec<_> = (0..)
        .zip(&keys)
        .map(|(number, &key)| (number, waiter(limiter.key(key).acquire())))
        .collect();
    let mut served = BTreeMap::from([(0, 0), (1, 0), (2, 0)]);
    for number in order(held, waiting) {
        *served.entry(keys[number]).or_insert(0) += 1;
        let (busy, least) = (served[&0], served[&1].min(served[&2]));
        assert!(least >= 10 || busy <= least + 2, "{served:?}");
    }
    assert_eq!(total(&limiter).keys, 0);
}

#[test]
fn who_comes_does_not_pass_a_key_whose_turn_it_is() {
    let limiter = Limiter::new("total-newcomer", 5).keyed().total(3);
    let held = at_once(limiter.key(0).acquire());
    let mut heavy = waiter(limiter.key(1).acquire().weight(3));
    let mut newcomer = waiter(limiter.key(2).acquire());
    limiter.key(3).try_acquire().unwrap_err();
    assert_waits(&mut heavy);
    assert_waits(&mut newcomer);
    drop(held);
    let heavy = served(&mut heavy).unwrap();
    assert_waits(&mut newcomer);
    drop(heavy);
    drop(served(&mut newcomer));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_key_at_its_own_limit_has_no_turn_and_holds_up_nobody() {
    let limiter = Limiter::new("total-own-limit", 1).keyed().total(3);
    let held = at_once(limiter.key(0).acquire());
    let mut same: Vec<_> = (0..5).map(|_| waiter(limiter.key(0).acquire())).collect();
    drop(at_once(limiter.key(1).acquire()));
    let others = [at_once(limiter.key(1).acquire()), at_once(limiter.key(2).acquire())];
    assert_figures(&limiter, 3, 5);
    let mut third = waiter(limiter.key(3).acquire());
    // This call came last, but the calls before it wait for their own key.
    drop(others);
    drop(served(&mut third));
    same.iter_mut().for_each(assert_waits);
    drop(held);
    for call in &mut same {
        drop(served(call));
    }
    assert_eq!(total(&limiter).keys, 0);
}

#[test]
fn a_cancelled_waiters_turn_goes_to_the_next_key() {
    let limiter = Limiter::new("total-cancelled", 1).keyed().total(1);
    let held = at_once(limiter.key(0).acquire());
    let first = waiter(limiter.key(1).acquire());
    let granted = waiter(limiter.key(2).acquire());
    let mut last = waiter(limiter.key(3).acquire());
    drop(first);
    assert_eq!(total(&limiter).keys, 3);
    drop(held);
    assert!(granted.is_woken());
    assert_waits(&mut last);
    drop(granted);
    drop(served(&mut last));
    assert_eq!((total(&limiter).keys, total(&limiter).cancelled), (0, 2));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_heavy_waiter_of_another_key_is_not_starved_under_the_total() {
    let limiter = Limiter::new("total-heavy", 4).keyed().total(4);
    let mut held: Vec<_> = (0..4).map(|_| at_once(limiter.key(0).acquire())).collect();
    let mut light: Vec<_> =
        (0..8).map(|number| (number, waiter(limiter.key(0).acquire()))).collect();
    let mut heavy = waiter(limiter.key(1).acquire().weight(4));
    for _ in 0..4 {
        assert_waits(&mut heavy);
        drop(held.remove(0));
        held.extend(ready(&mut light).into_iter().map(|(_, permit)| permit));
    }
    // At most one of the other keys had its turn before.
    while !held.is_empty() {
        held.clear();
        held.extend(ready(&mut light).into_iter().map(|(_, permit)| permit));
        assert!(light.len() >= 7, "{} wait", light.len());
        if heavy.is_woken() {
            break;
        }
    }
    drop(served(&mut heavy).unwrap());
    while !light.is_empty() {
        assert!(!ready(&mut light).is_empty());
    }
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_call_heavier_than_the_total_is_refused_at_once() {
    let limiter = Limiter::new("total-too-heavy", 5).keyed().total(3);
    let rejected = refused(limiter.key(0).acquire().weight(4));
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::TooHeavy, 4));
    drop(let_in(limiter.key(0).acquire().weight(3)));
    assert_eq!(total(&limiter).keys, 0);
}

/// The message says which limit was reached.
#[test]
fn a_call_heavier_than_the_total_is_not_told_a_limit_under_which_it_would_fit() {
    let limiter = Limiter::new("total-told", 5).keyed().total(3);
    let rejected = refused(limiter.key(0).acquire().weight(4));
    assert!(
        !rejected.to_string().contains("4 permits wanted, the limit is 5"),
        "{rejected}: 4 fit under 5"
    );
}

#[test]
fn the_total_can_be_changed_while_calls_run_and_wait() {
    static LIMITER: KeyedLimiter = Limiter::new("total-changed", 1).keyed().total(2);

    let mut held: Vec<_> = (0..2).map(|key| at_once(LIMITER.key(key).acquire())).collect();
    let mut waiting: Vec<_> =
        (2..10).map(|key| (key, waiter(LIMITER.key(key).acquire()))).collect();
    LIMITER.set_total(4);
    let served = ready(&mut waiting);
    assert_eq!(served.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [2, 3]);
    held.extend(served.into_iter().map(|(_, permit)| permit));

    let handle = limit_runtime::find("total-changed").expect("it is in use");
    handle.set_total(1).expect("it has keys");
    for _ in 0..3 {
        drop(held.remove(0));
        assert!(ready(&mut waiting).is_empty(), "as many as may, or more, are in");
    }
    drop(held.remove(0));
    let served = ready(&mut waiting);
    assert_eq!(served.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [4]);
    assert_eq!(LIMITER.limit(), Some(1), "that of each key is as it was");

    LIMITER.set_total(0);
    drop(served);
    assert!(ready(&mut waiting).is_empty(), "0 pauses");
    LIMITER.set_total(usize::MAX);
    assert_eq!(ready(&mut waiting).len(), 5);
    assert_eq!(total(&LIMITER).keys, 0);
    assert_figures(&LIMITER, 0, 0);
}

#[test]
fn a_lowered_total_refuses_those_who_wait_for_more() {
    let limiter = Limiter::new("total-lowered", 5).keyed().total(5);
    let held = at_once(limiter.key(0).acquire());
    let mut heavy = waiter(limiter.key(1).acquire().weight(5));
    let mut light = waiter(limiter.key(2).acquire().weight(2));
    limiter.set_total(3);
    assert_eq!(served(&mut heavy).unwrap_err().kind(), RejectedKind::TooHeavy);
    drop(served(&mut light).expect("two of three are free"));
    drop(held);
    assert_eq!(total(&limiter).keys, 0);
}

#[test]
fn a_total_set_before_the_first_use_holds() {
    let limiter = Limiter::new("total-before", 5).keyed().total(5);
    limiter.set_total(1);
    let held = at_once(limiter.key(0).acquire());
    limiter.key(1).try_acquire().unwrap_err();
    drop(held);

    let without = Limiter::new("total-none", 1).keyed();
    let held: Vec<_> = (0..100).map(|key| at_once(without.key(key).acquire())).collect();
    without.set_total(50);
    let mut next = waiter(without.key(100).acquire());
    let mut held = held.into_iter();
    held.by_ref().take(50).for_each(drop);
    assert_waits(&mut next);
    drop(held.next());
    drop(served(&mut next));
}

#[test]
fn a_handle_sets_no_total_of_a_limiter_without_keys() {
    let limiter = Limiter::new("total-unkeyed", 2);
    drop(at_once(limiter.acquire()));
    let handle = limit_runtime::find("total-unkeyed").expect("it is in use");
    let unsupported = handle.set_total(0).expect_err("it has no keys");
    assert_eq!((unsupported.limiter(), unsupported.setting()), ("total-unkeyed", "total"));
    assert_eq!(
        unsupported.to_string(),
        "`total` cannot be set for concurrency limit `total-unkeyed`: it has no keys: its limit \
         holds for all calls",
    );
    limit_tests::figures::assert_all_free(&limiter);
}
