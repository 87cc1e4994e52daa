//! Permits that are looked at, parted and put together.

use crate::listening::heard;
use limit_runtime::{EventKind, KeyedLimiter, Limiter, Permit};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{at_once, let_in, permit, served, waiter};
use limit_tests::runtimes::one_thread;
use std::time::Duration;

#[test]
fn a_permit_knows_its_weight_and_its_limiter() {
    let limiter = Limiter::new("permits-looked-at", 5);
    let heavy = let_in(limiter.acquire_many(3));
    let exempt = at_once(limiter.acquire().enabled(false));
    assert_eq!((heavy.weight(), exempt.weight()), (3, 0));
    let owner = heavy.limiter().expect("it is in use");
    assert_eq!(owner.name(), "permits-looked-at");
    assert!(exempt.limiter().is_none(), "it has no permits");
    drop(limiter);
    assert!(heavy.limiter().is_none(), "the limiter was dropped");
}

#[test]
fn a_permit_of_a_limiter_that_took_an_index_over_is_of_that_one() {
    let first = Limiter::new("permits-first", 1);
    drop(permit(&first));
    drop(first);
    let second = Limiter::new("permits-second", 1);
    assert_eq!(permit(&second).limiter().expect("it is in use").name(), "permits-second");
}

#[test]
fn a_part_comes_back_on_its_own_and_serves_the_next() {
    let limiter = Limiter::new("permits-parted", 5);
    let mut whole = let_in(limiter.acquire_many(5));
    let mut next = waiter(limiter.acquire_many(2));
    assert!(whole.split(6).is_none() && whole.weight() == 5, "there are not so many");
    let part = whole.split(2).expect("there are so many");
    assert_eq!((whole.weight(), part.weight()), (3, 2));
    assert_figures(&limiter, 5, 1);
    drop(part);
    drop(served(&mut next).expect("it is not too heavy"));
    assert_figures(&limiter, 3, 0);
    // Nothing and all are parts as well.
    let nothing = whole.split(0).expect("nothing is always there");
    let all = whole.split(3).expect("all are there");
    assert_eq!((whole.weight(), nothing.weight(), all.weight()), (0, 0, 3));
    drop((whole, nothing));
    assert_figures(&limiter, 3, 0);
    drop(all);
    assert_all_free(&limiter);
}

#[test]
fn the_wait_of_a_call_is_counted_once_however_its_permits_are_parted() {
    let limiter = Limiter::new("permits-waited", 2);
    let both = let_in(limiter.acquire_many(2));
    let mut next = waiter(limiter.acquire_many(2));
    drop(both);
    let mut waited = served(&mut next).expect("it is not too heavy");
    let part = waited.split(1).expect("it has two");
    drop(waited);
    drop(part);
    let figures = total(&limiter);
    assert_eq!((figures.admitted_after_waiting, figures.wait.count), (1, 1));
    assert_all_free(&limiter);
}

#[test]
fn permits_of_one_limiter_can_be_put_together() {
    let limiter = Limiter::new("permits-merged", 3);
    let mut first = permit(&limiter);
    let held = let_in(limiter.acquire_many(2));
    let mut next = waiter(limiter.acquire());
    drop(held);
    // One of them has waited, and the other way round as well.
    let waited = served(&mut next);
    first.merge(waited).expect("they are of one limiter");
    let mut second = permit(&limiter);
    second.merge(first).expect("they are of one limiter");
    assert_eq!(second.weight(), 3);
    assert_figures(&limiter, 3, 0);
    drop(second);
    assert_eq!(total(&limiter).wait.count, 1);
    assert_all_free(&limiter);
}

#[test]
fn permits_of_two_limiters_runtimes_or_keys_stay_apart() {
    let (one, other) = (Limiter::new("permits-one", 1), Limiter::new("permits-other", 1));
    assert_stay_apart(permit(&one), permit(&other));

    let (first, second) = (one_thread(), one_thread());
    let of = |runtime: &tokio::runtime::Runtime| runtime.block_on(one.acquire());
    assert_stay_apart(of(&first), of(&second));

    let keyed = Limiter::new("permits-keys", 1).keyed();
    assert_stay_apart(of_key(&keyed, 1), of_key(&keyed, 2));
    assert_eq!(keyed.snapshot().total.keys, 0);
}

#[track_caller]
fn assert_stay_apart(mut one: Permit, other: Permit) {
    let other = one.merge(other).expect_err("they are not of one kind");
    assert_eq!((one.weight(), other.weight()), (1, 1));
}

fn of_key(limiter: &KeyedLimiter, key: u8) -> Permit {
    at_once(limiter.key(key).acquire())
}

#[test]
fn a_part_is_of_the_same_key() {
    let limiter = Limiter::new("permits-key", 4).keyed();
    let mut whole = at_once(limiter.key("a").acquire().weight(4)).expect("it is not too heavy");
    let part = whole.split(1).expect("there are so many");
    drop(whole);
    assert_eq!(total(&limiter).in_use, 1);
    assert_eq!(total(&limiter).keys, 1, "the key is in use still");
    assert!(limiter.key("a").try_acquire_many(4).is_err());
    let mut again = limiter.key("a").try_acquire_many(3).expect("three are free");
    assert!(limiter.key("a").try_acquire().is_err());
    again.merge(part).expect("they are of one key");
    assert_eq!(again.weight(), 4);
    drop(again);
    assert_eq!((total(&limiter).in_use, total(&limiter).keys), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_part_cools_from_the_start_of_the_whole() {
    let second = Duration::from_secs(1);
    let limiter = Limiter::new("permits-rate", 2).per(10 * second);
    let mut whole = limiter.acquire_many(2).await.expect("it is not too heavy");
    tokio::time::advance(4 * second).await;
    let part = whole.split(1).expect("it has two");
    drop(whole);
    tokio::time::advance(5 * second).await;
    assert!(limiter.try_acquire().is_err(), "it cools for another second");
    tokio::time::advance(second).await;
    drop(limiter.try_acquire().expect("its window is over"));
    // The part has held for longer than the window: it cools no more.
    drop(part);
    assert_eq!(total(&limiter).in_use, 0);
    assert!(limiter.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn permits_put_together_cool_from_the_later_start() {
    let second = Duration::from_secs(1);
    let limiter = Limiter::new("permits-rate-merged", 2).per(10 * second);
    let mut first = limiter.acquire().await;
    tokio::time::advance(6 * second).await;
    first.merge(limiter.acquire().await).expect("they are of one limiter");
    drop(first);
    tokio::time::advance(9 * second).await;
    assert!(limiter.try_acquire().is_err(), "the later window lasts for another second");
    tokio::time::advance(second).await;
    assert!(limiter.try_acquire_many(2).is_ok());
}

#[test]
fn a_permit_of_which_nothing_is_left_gives_nothing_back() {
    let first = Limiter::new("permits-emptied", 3);
    let mut events = first.subscribe();
    let mut whole = let_in(first.acquire_many(3));
    drop(whole.split(3));
    drop(whole.split(0));
    let kinds: Vec<_> = heard(&mut events).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, [EventKind::Admitted, EventKind::Released]);
    drop(first);
    // This one takes the index of the other over.
    let second = Limiter::new("permits-not-emptied", 3);
    drop(permit(&second));
    let mut events = second.subscribe();
    drop(whole);
    assert_eq!(heard(&mut events), []);
}

#[cfg(feature = "diagnostics")]
#[test]
fn holders_show_parts_with_their_weights() {
    limit_runtime::diagnostics::record(true);
    let limiter = Limiter::new("permits-holders", 5);
    let mut whole = let_in(limiter.acquire_many(5));
    let part = whole.split(2).expect("there are so many");
    let weights = || {
        let mut weights: Vec<_> =
            limiter.holders().iter().map(limit_runtime::diagnostics::Call::weight).collect();
        weights.sort_unstable();
        weights
    };
    assert_eq!(weights(), [2, 3]);
    whole.merge(part).expect("they are of one limiter");
    assert_eq!(weights(), [5]);
    // Nothing is not listed, and all is listed once.
    let nothing = whole.split(0).expect("nothing is always there");
    let all = whole.split(5).expect("all are there");
    assert_eq!(weights(), [5]);
    drop(nothing);
    whole.merge(all).expect("they are of one limiter");
    assert_eq!(weights(), [5]);
    drop(whole);
    assert_eq!(weights(), [0; 0]);
    assert!(limit_runtime::find("permits-holders").is_some());
}
