//! A bound on the waiting calls of all keys together.

use limit_runtime::{Limiter, Order, Rejected, RejectedKind, Source, concurrency_limit};
use limit_tests::figures::total;
use limit_tests::polling::{assert_waits, at_once, let_in, ready, refused, served, waiter};

#[test]
fn no_more_calls_of_all_keys_together_wait_than_may() {
    let limiter = Limiter::new("tenants-bounded", 1).max_waiting(1).keyed().max_waiting_total(100);
    let limiter = limiter.total(1);
    let held = let_in(limiter.key(0_u32).acquire());
    let mut waiting: Vec<_> =
        (1..=100_u32).map(|key| (key as usize, waiter(limiter.key(key).acquire()))).collect();
    assert_eq!(total(&limiter).waiting, 100);
    for key in [0_u32, 1, 1_000] {
        let rejected = refused(limiter.key(key).acquire());
        assert_eq!(rejected.kind(), RejectedKind::QueueFull);
        assert_eq!(rejected.waiting(), usize::from(key == 1), "of the key");
    }
    assert_eq!(total(&limiter).keys, 101, "who is refused leaves nothing");
    drop(held);
    let first = ready(&mut waiting);
    assert_eq!(first.len(), 1);
    let again = waiter(limiter.key(1_000_u32).acquire());
    assert_eq!(total(&limiter).waiting, 100);
    drop((again, waiting, first));
    assert_eq!((total(&limiter).waiting, total(&limiter).keys), (0, 0));
}

#[test]
fn a_refusal_says_how_many_calls_of_all_keys_wait() {
    let limiter = Limiter::new("tenants-told", 1).keyed().total(1).max_waiting_total(1);
    let _held = let_in(limiter.key("a").acquire());
    let _waits = waiter(limiter.key("b").acquire());
    assert_eq!(
        refused(limiter.key("c").acquire()).to_string(),
        "concurrency limit `tenants-told` reached: 0 of 1 permits in use, the total of 1 is reached, 0 waiting, \
         1 of all keys together (`max_waiting_total` is 1)"
    );
    limiter.set_max_waiting_total(usize::MAX);
    limiter.set_max_waiting(0);
    assert_eq!(
        refused(limiter.key("a").acquire()).to_string(),
        "concurrency limit `tenants-told` reached: 1 of 1 permits in use, 0 waiting"
    );
}

#[test]
fn the_bound_is_set_while_running_and_calls_that_wait_go_on() {
    let limiter = Limiter::new("tenants-bound-set", 1).keyed().total(1).max_waiting_total(2);
    let mut held = let_in(limiter.key(0).acquire());
    let mut waiting = [1, 2].map(|key| waiter(limiter.key(key).acquire()));
    refused(limiter.key(3).acquire());
    limiter.set_max_waiting_total(3);
    let mut third = waiter(limiter.key(3).acquire());
    limiter.set_max_waiting_total(0);
    refused(limiter.key(4).acquire());
    for call in &mut waiting {
        drop(held);
        held = served(call).unwrap();
        refused(limiter.key(4).acquire());
    }
    drop(held);
    drop(served(&mut third));
    let settings = limiter.snapshot().settings.max_waiting_total;
    assert_eq!((settings.value, settings.source), (Some(0), Source::Live));
    limiter.reset();
    assert_eq!(limiter.snapshot().settings.max_waiting_total.value, Some(2));
    let handle = limit_runtime::find("tenants-bound-set").unwrap();
    handle.set_max_waiting_total(usize::MAX).unwrap();
    assert_eq!(limiter.snapshot().settings.max_waiting_total.value, None);
}

#[test]
fn with_the_newest_first_a_call_takes_the_place_of_one_of_its_own_key() {
    let limiter =
        Limiter::new("tenants-newest", 1).order(Order::Lifo).keyed().total(1).max_waiting_total(2);
    let held = let_in(limiter.key('a').acquire());
    let mut first = waiter(limiter.key('a').acquire());
    let mut other = waiter(limiter.key('b').acquire());
    assert_eq!(refused(limiter.key('c').acquire()).kind(), RejectedKind::QueueFull);
    let mut second = waiter(limiter.key('a').acquire());
    assert_eq!(served(&mut first).unwrap_err().kind(), RejectedKind::Evicted);
    assert_waits(&mut other);
    assert_waits(&mut second);
    drop(held);
}

#[test]
fn only_a_limiter_with_keys_that_can_refuse_has_the_bound() {
    let without_keys = Limiter::new("tenants-no-keys", 1).max_waiting(9);
    let infallible = Limiter::new("tenants-infallible", 1).keyed();
    let shadow = Limiter::new("tenants-shadow", 1).keyed().max_waiting_total(0).shadow();
    drop((without_keys.try_acquire(), infallible.key(1).try_acquire()));
    let _over = [1, 1].map(|key| at_once(shadow.key(key).acquire()));
    for (name, reason) in [
        (
            "tenants-no-keys",
            "it has no keys: `max_waiting` bounds all its calls, with shares those of each share",
        ),
        (
            "tenants-infallible",
            "its calls cannot be told that they are refused; give the attribute `max_waiting_total`,",
        ),
        ("tenants-shadow", "it was made a shadow, which keeps account of each key by itself"),
    ] {
        let handle = limit_runtime::find(name).unwrap();
        let error = handle.set_max_waiting_total(1).unwrap_err().to_string();
        let start = format!("`max_waiting_total` cannot be set for concurrency limit `{name}`: ");
        assert!(error.strip_prefix(&start).is_some_and(|rest| rest.starts_with(reason)), "{error}");
    }
    assert_eq!(total(&shadow).shadowed.rejected.total(), 0, "each key by itself");
}

#[tokio::test(flavor = "current_thread")]
async fn the_attribute_bounds_all_waiting_calls() {
    #[concurrency_limit(1, key = tenant, total = 1, max_waiting = 1, max_waiting_total = 3, name = "tenants-option")]
    async fn work(tenant: u32) -> Result<u32, Rejected> {
        tokio::task::yield_now().await;
        Ok(tenant)
    }
    let calls: Vec<_> = (0..9).map(|tenant| tokio::spawn(work(tenant))).collect();
    let mut served = Vec::new();
    for call in calls {
        served.extend(call.await.unwrap());
    }
    assert_eq!(served, [0, 1, 2, 3], "one runs, three wait");
}

#[test]
fn a_holder_that_waits_for_more_permits_is_not_counted() {
    let limiter = Limiter::new("tenants-growing", 4).keyed().total(4).max_waiting_total(1);
    let mut first = let_in(limiter.key(1).acquire().weight(2));
    let second = let_in(limiter.key(2).acquire().weight(2));
    let mut grows = waiter(first.resize(4));
    assert_waits(&mut grows);
    let waits = waiter(limiter.key(3).acquire());
    let rejected = refused(limiter.key(4).acquire());
    assert!(rejected.to_string().contains("1 of all keys together"), "{rejected}");
    drop(second);
    served(&mut grows).unwrap();
    drop((grows, waits));
    drop(first);
    assert_eq!((total(&limiter).in_use, total(&limiter).keys), (0, 0));
}
