//! Grants of every kind of waiter are taken back.

use super::{SOON, eventually};
use limit_runtime::{Limiter, Order, Scope};
use limit_tests::polling::{assert_waits, at_once, ready, served, waiter};
use limit_tests::runtimes::{one_thread, paused};
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;
use tokio_test::task::Spawn;

/// Hands permits to a call that is not polled. They go to the next one, and then to the absent one.
#[track_caller]
fn check<T: Debug, F: Future<Output = T>>(call: impl Fn() -> F) {
    let held = at_once(call());
    let (mut absent, mut next) = (waiter(call()), waiter(call()));
    drop(held);
    assert!(absent.is_woken(), "it is handed the permits");
    assert_waits(&mut next);
    eventually(|| next.is_woken());
    let held = served(&mut next);
    assert!(absent.poll().is_pending(), "the other has them");
    let mut last = waiter(call());
    drop(held);
    let held = served(&mut absent);
    assert_waits(&mut last);
    drop(held);
    drop(served(&mut last));
    drop(at_once(call()));
}

#[test]
fn plain_calls() {
    let limiter = Limiter::new("unclaimed-kind-plain", 1).claim_within(SOON);
    check(|| limiter.acquire());
}

#[test]
pub(super) fn calls_of_a_process() {
    let limiter =
        Limiter::new("unclaimed-kind-process", 1).scope(Scope::Process).claim_within(SOON);
    check(|| limiter.acquire());
}

#[test]
fn heavy_calls() {
    let limiter = Limiter::new("unclaimed-kind-heavy", 3).claim_within(SOON);
    check(|| limiter.acquire_many(3));
}

#[test]
fn a_light_call_behind_a_heavy_one_that_is_absent() {
    let limiter = Limiter::new("unclaimed-kind-light", 3).claim_within(SOON);
    let held = at_once(limiter.acquire_many(2));
    let mut absent = waiter(limiter.acquire_many(3));
    let mut light = waiter(limiter.acquire());
    drop(held);
    assert!(absent.is_woken());
    eventually(|| light.is_woken());
    let one = served(&mut light);
    assert!(absent.poll().is_pending(), "it wants three, and two are free");
    let mut behind = waiter(limiter.acquire());
    assert_waits(&mut behind);
    drop(one);
    let all = served(&mut absent);
    assert_eq!(all.expect("three is not too heavy").weight(), 3);
    drop(served(&mut behind));
}

#[test]
fn calls_of_a_key() {
    let limiter = Limiter::new("unclaimed-kind-key", 1).keyed().claim_within(SOON);
    let other = at_once(limiter.key(2).acquire());
    check(|| limiter.key(1).acquire());
    drop(other);
}

#[test]
fn calls_of_other_keys_that_wait_for_the_total() {
    let limiter = Limiter::new("unclaimed-kind-total", 1).keyed().total(1).claim_within(SOON);
    let held = at_once(limiter.key(1).acquire());
    let mut absent = waiter(limiter.key(2).acquire());
    let mut next = waiter(limiter.key(3).acquire());
    drop(held);
    assert!(absent.is_woken());
    eventually(|| next.is_woken());
    let held = served(&mut next);
    assert!(absent.poll().is_pending());
    drop(held);
    drop(served(&mut absent));
    assert_eq!(limiter.snapshot().total.taken_back, 1);
    drop(at_once(limiter.key(2).acquire()));
}

#[test]
fn a_key_whose_only_call_is_absent_is_not_forgotten() {
    let limiter = Limiter::new("unclaimed-kind-kept", 1).keyed().total(1).claim_within(SOON);
    let held = at_once(limiter.key(1).acquire());
    let absent = waiter(limiter.key(2).acquire());
    let mut next = waiter(limiter.key(3).acquire());
    drop(held);
    eventually(|| next.is_woken());
    drop(served(&mut next));
    assert_eq!(limiter.snapshot().total.keys, 1, "that of the absent call");
    drop(absent);
    assert_eq!(limiter.snapshot().total.keys, 0);
}

/// Two calls come back, and then the first key is given a weight: each is before the calls of a key that has fewer
/// permits than its own.
#[test]
fn keys_whose_calls_have_come_back_stay_first_when_a_call_gives_its_key_a_weight() {
    let limiter = Limiter::new("unclaimed-kind-weighed", 9).keyed().total(4).claim_within(SOON);
    let _theirs = [1, 2].map(|key| at_once(limiter.key(key).acquire()));
    let held = [0, 0].map(|key| at_once(limiter.key(key).acquire()));
    let mut absent = [1, 2].map(|key| waiter(limiter.key(key).acquire()));
    let mut next = [3, 3].map(|key| waiter(limiter.key(key).acquire()));
    drop(held);
    eventually(|| next.iter().all(Spawn::is_woken));
    let mut held = Vec::from(next.each_mut().map(served));
    // The one that was granted its permit first is before the other, whatever the order in which they come back.
    assert!(absent[0].poll().is_pending());
    assert!(absent[1].poll().is_pending());
    let mut others = vec![(4, waiter(limiter.key(4).acquire()))];
    others.push((5, waiter(limiter.key(5).key_weight(2).acquire())));
    drop(held.pop());
    let second = served(&mut absent[1]);
    assert_waits(&mut absent[0]);
    drop(held.pop());
    let first = served(&mut absent[0]);
    assert!(ready(&mut others).is_empty());
    drop(first);
    let (key, _permit) = ready(&mut others).remove(0);
    assert_eq!(key, 5, "of two keys without permits it is the one with the larger weight");
    drop(second);
}

#[test]
fn a_key_whose_call_gives_up_when_it_has_come_back_is_first_no_more() {
    for weight in [None, Some(2)] {
        let name = format!("unclaimed-kind-gives-up-{weight:?}");
        let limiter = Limiter::named(name, 9).keyed().total(1).claim_within(SOON);
        // With a weight other than 1 the keys have an order by weight.
        let held = at_once(limiter.key(0).key_weight(weight.unwrap_or(1)).acquire());
        let mut absent = waiter(limiter.key(1).acquire());
        let mut next = waiter(limiter.key(2).acquire());
        drop(held);
        eventually(|| next.is_woken());
        let held = served(&mut next);
        assert!(absent.poll().is_pending());
        let mut other = waiter(limiter.key(3).acquire());
        let mut behind = waiter(limiter.key(1).acquire());
        drop(absent);
        drop(held);
        let held = served(&mut other);
        assert_waits(&mut behind);
        drop(held);
        drop(served(&mut behind));
    }
}

#[test]
fn a_call_of_a_key_is_not_taken_from_for_others_that_it_does_not_help() {
    let limiter = Limiter::new("unclaimed-kind-beside", 1).keyed().claim_within(SOON);
    let (one, two) = (at_once(limiter.key(1).acquire()), at_once(limiter.key(2).acquire()));
    let mut absent = waiter(limiter.key(1).acquire());
    let mut beside = waiter(limiter.key(2).acquire());
    drop(one);
    // The watcher has looked when it has taken a grant back elsewhere.
    calls_of_a_process();
    assert_waits(&mut beside);
    assert_eq!(limiter.snapshot().total.taken_back, 0);
    drop((served(&mut absent), two));
    drop(served(&mut beside));
}

#[test]
fn calls_with_priorities() {
    let limiter = Limiter::new("unclaimed-kind-ranked", 1).claim_within(SOON);
    check(|| limiter.acquire().priority(3));
}

#[test]
fn an_absent_call_stays_before_one_with_a_higher_priority() {
    let limiter = Limiter::new("unclaimed-kind-higher", 1).claim_within(SOON);
    let held = at_once(limiter.acquire());
    let mut absent = waiter(limiter.acquire().priority(1));
    let mut next = waiter(limiter.acquire());
    drop(held);
    eventually(|| next.is_woken());
    let held = served(&mut next);
    let mut urgent = waiter(limiter.acquire().priority(200));
    assert!(absent.poll().is_pending());
    drop(held);
    let held = served(&mut absent);
    assert_waits(&mut urgent);
    drop(held);
    drop(served(&mut urgent));
}

#[test]
fn an_absent_call_and_one_with_the_highest_priority_have_places_of_their_own() {
    // All come at one moment of the paused clock.
    let runtime = paused();
    let _entered = runtime.enter();
    let limiter = Limiter::new("unclaimed-kind-highest", 1).claim_within(SOON);
    let highest = || limiter.acquire().priority(255);
    let held = at_once(highest());
    let mut first = waiter(limiter.acquire());
    drop(held);
    let held = served(&mut first);
    let (mut absent, mut next) = (waiter(highest()), waiter(highest()));
    drop(held);
    eventually(|| next.is_woken());
    let held = served(&mut next);
    let mut last = waiter(highest());
    assert!(absent.poll().is_pending());
    drop(held);
    let held = served(&mut absent);
    assert_waits(&mut last);
    drop(held);
    drop(served(&mut last));
}

#[test]
fn calls_of_which_the_newest_is_first() {
    let limiter = Limiter::new("unclaimed-kind-lifo", 1).order(Order::Lifo).claim_within(SOON);
    let held = at_once(limiter.acquire());
    let mut next = waiter(limiter.acquire());
    let mut absent = waiter(limiter.acquire());
    drop(held);
    assert!(absent.is_woken(), "it is the newest");
    eventually(|| next.is_woken());
    let held = served(&mut next);
    assert!(absent.poll().is_pending());
    drop(held);
    drop(served(&mut absent));
    drop(at_once(limiter.acquire()));
}

#[test]
fn calls_with_a_deadline() {
    let limiter = Limiter::new("unclaimed-kind-deadline", 1)
        .max_wait(Duration::from_secs(3600))
        .claim_within(SOON);
    tokio_timer(|| check(|| limiter.acquire()));
}

#[test]
fn calls_at_a_rate() {
    let limiter =
        Limiter::new("unclaimed-kind-rate", 1).per(Duration::from_nanos(1)).claim_within(SOON);
    tokio_timer(|| {
        let held = at_once(limiter.acquire());
        let mut absent = waiter(limiter.acquire());
        let mut next = waiter(limiter.acquire());
        drop(held);
        assert!(absent.is_woken());
        eventually(|| next.is_woken());
        let held = served(&mut next);
        assert!(absent.poll().is_pending());
        drop(held);
        drop(served(&mut absent));
        assert_eq!(limiter.snapshot().total.in_use, 0);
    });
}

#[test]
fn threads_that_block_behind_a_call_that_is_absent() {
    let limiter = Limiter::new("unclaimed-kind-thread", 1).scope(Scope::Process).claim_within(SOON);
    let held = at_once(limiter.acquire());
    let absent = waiter(limiter.acquire());
    drop(held);
    std::thread::scope(|scope| {
        scope.spawn(|| drop(limiter.blocking_acquire()));
    });
    drop(absent);
}

/// Runs in a runtime with a timer, which is not driven.
fn tokio_timer(check: impl FnOnce()) {
    let runtime = one_thread();
    let _entered = runtime.enter();
    check();
}
