//! Keys of the user's own types, whose code may do anything.

use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, refused, served, waiter};
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A key that has the same hash as all others of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Colliding(u32);

impl Hash for Colliding {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[test]
fn keys_with_one_hash_are_told_apart() {
    let limiter = Limiter::new("foreign-colliding", 1).keyed();
    // The keys are forgotten in many orders: in the middle of the chain and at its ends.
    for step in [1, 3, 7, 9] {
        let mut held: Vec<_> =
            (0..10).map(|key| (key, at_once(limiter.key(Colliding(key)).acquire()))).collect();
        let mut forgotten = Vec::new();
        let mut at = 0;
        while !held.is_empty() {
            at = (at + step) % held.len();
            let (key, permit) = held.swap_remove(at);
            let mut next = waiter(limiter.key(Colliding(key)).acquire());
            drop(permit);
            drop(served(&mut next));
            forgotten.push(key);
            assert_eq!(total(&limiter).keys, held.len());
            for (key, _) in &held {
                assert!(limiter.key(Colliding(*key)).try_acquire().is_err(), "{key} is in use");
            }
            for key in &forgotten {
                assert!(limiter.key(Colliding(*key)).try_acquire().is_ok(), "{key} is free");
            }
        }
    }
    assert_figures(&limiter, 0, 0);
}

#[test]
fn keys_of_two_types_are_two_keys_whatever_their_values() {
    let limiter = Limiter::new("foreign-types", 1).keyed();
    let held = (
        at_once(limiter.key(1_u32).acquire()),
        at_once(limiter.key(1_u64).acquire()),
        at_once(limiter.key("1").acquire()),
        at_once(limiter.key(String::from("1")).acquire()),
        at_once(limiter.key(('1', Some(1_u32))).acquire()),
        at_once(limiter.key(()).acquire()),
        at_once(limiter.key(Colliding(1)).acquire()),
    );
    assert_eq!(total(&limiter).keys, 7);
    assert!(limiter.key(1_u32).try_acquire().is_err());
    assert!(limiter.key(String::from("1")).try_acquire().is_err());
    assert!(limiter.key(()).try_acquire().is_err());
    drop(held);
    assert_eq!(total(&limiter).keys, 0);
}

#[test]
fn a_key_is_kept_while_it_is_in_use_and_dropped_when_it_is_not() {
    let limiter = Limiter::new("foreign-dropped", 1).max_waiting(1).keyed();
    let key: Arc<str> = Arc::from("tenant");
    let held = let_in(limiter.key(Arc::clone(&key)).acquire());
    assert_eq!(Arc::strong_count(&key), 2);
    let waiting = waiter(limiter.key(Arc::clone(&key)).acquire());
    assert_eq!(Arc::strong_count(&key), 3, "the call's own, and still one in the limiter");
    assert_eq!(refused(limiter.key(Arc::clone(&key)).acquire()).kind(), RejectedKind::QueueFull);
    assert!(limiter.key(Arc::clone(&key)).try_acquire().is_err());
    assert_eq!(Arc::strong_count(&key), 3);
    drop(held);
    drop(waiting);
    assert_eq!(Arc::strong_count(&key), 1);

    limiter.set_limit(0);
    assert!(limiter.key(Arc::clone(&key)).try_acquire().is_err());
    assert_eq!(Arc::strong_count(&key), 1, "nothing is kept of who is refused");
    drop(waiter(limiter.key(Arc::clone(&key)).acquire()));
    assert_eq!(Arc::strong_count(&key), 1, "nor of who is cancelled");
    let mut closed = waiter(limiter.key(Arc::clone(&key)).acquire());
    limiter.close();
    assert_eq!(Arc::strong_count(&key), 2, "nor of who is refused while it waits: the call's own");
    assert!(served(&mut closed).is_err());
    drop(closed);
    limiter.reopen();
    limiter.set_limit(1);

    let held = let_in(limiter.key(Arc::clone(&key)).acquire());
    drop(limiter);
    drop(held);
    assert_eq!(Arc::strong_count(&key), 1, "nor when the limiter is gone");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_dropped_when_its_only_waiter_times_out() {
    let limiter = Limiter::new("foreign-timed-out", 0).max_wait(Duration::from_secs(1)).keyed();
    let key: Arc<str> = Arc::from("tenant");
    let rejected = limiter.key(Arc::clone(&key)).acquire().await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::TimedOut);
    assert_eq!((Arc::strong_count(&key), total(&limiter).keys), (1, 0));
}

static PANICS: AtomicBool = AtomicBool::new(false);

/// A key whose `Eq`, `Clone` or `Hash` panics when the test says so.
#[derive(Debug)]
struct Panicking(u32, Where);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    Eq,
    Clone,
    Hash,
}

impl Panicking {
    fn reach(&self, place: Where) {
        assert!(self.1 != place || !PANICS.load(Ordering::Relaxed), "a key's {place:?}");
    }
}

impl PartialEq for Panicking {
    fn eq(&self, other: &Self) -> bool {
        self.reach(Where::Eq);
        self.0 == other.0
    }
}

impl Eq for Panicking {}

impl Clone for Panicking {
    fn clone(&self) -> Self {
        self.reach(Where::Clone);
        Self(self.0, self.1)
    }
}

impl Hash for Panicking {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.reach(Where::Hash);
        self.0.hash(state);
    }
}

#[test]
fn a_key_whose_code_panics_leaves_the_limiter_usable() {
    for place in [Where::Eq, Where::Clone, Where::Hash] {
        let limiter = Limiter::named("foreign-panics", 1).keyed().total(3);
        let held = at_once(limiter.key(Panicking(1, place)).acquire());
        let mut waiting = waiter(limiter.key(Panicking(1, place)).acquire());
        PANICS.store(true, Ordering::Relaxed);
        let key = if place == Where::Clone { 2 } else { 1 };
        for _ in 0..3 {
            let called = catch_unwind(AssertUnwindSafe(|| {
                drop(limiter.key(Panicking(key, place)).try_acquire());
            }));
            assert!(called.is_err(), "the panic of {place:?} goes to the caller");
            let called = catch_unwind(AssertUnwindSafe(|| {
                drop(waiter(limiter.key(Panicking(key, place)).acquire()));
            }));
            assert!(called.is_err(), "the panic of {place:?} goes to the caller");
        }
        PANICS.store(false, Ordering::Relaxed);
        assert_figures(&limiter, 1, 1);
        assert_eq!(total(&limiter).keys, 1);
        drop(at_once(limiter.key(Panicking(2, place)).acquire()));
        assert_waits(&mut waiting);
        drop(held);
        drop(served(&mut waiting));
        assert_figures(&limiter, 0, 0);
        let all: Vec<_> =
            (0..3).map(|key| at_once(limiter.key(Panicking(key, place)).acquire())).collect();
        assert!(limiter.key(Panicking(3, place)).try_acquire().is_err());
        drop(all);
        assert_eq!(total(&limiter).keys, 0);
    }
}

static NOSY: KeyedLimiter<Rejected> = Limiter::new("foreign-nosy", 1).max_waiting(5).keyed();
static LOOKED: AtomicUsize = AtomicUsize::new(0);

/// A key that uses the limiter when it is dropped.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Nosy;

impl Drop for Nosy {
    fn drop(&mut self) {
        NOSY.set_limit(1);
        assert_eq!(NOSY.snapshot().total.limit, 1);
        drop(NOSY.key("another").try_acquire());
        LOOKED.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_keys_drop_may_use_the_limiter() {
    drop(let_in(NOSY.key(Nosy).acquire()));
    assert_eq!(LOOKED.load(Ordering::Relaxed), 2, "the call's and the limiter's");
    let held = let_in(NOSY.key(Nosy).acquire());
    drop(NOSY.key(Nosy).try_acquire());
    drop(waiter(NOSY.key(Nosy).acquire()));
    drop(held);
    NOSY.set_limit(0);
    drop(waiter(NOSY.key(Nosy).acquire()));
    assert_eq!(total(&NOSY).keys, 0);
    NOSY.set_limit(0);
    let mut closed = waiter(NOSY.key(Nosy).acquire());
    NOSY.close();
    assert!(served(&mut closed).is_err());
    drop(closed);
    NOSY.reopen();
}

#[test]
fn waiters_of_many_keys_that_are_refused_at_once_may_notice_it_when_no_key_is_left() {
    let limiter = Limiter::new("foreign-refused", 0).max_waiting(1).keyed();
    let mut calls: Vec<_> = (0..5_000_u32).map(|key| waiter(limiter.key(key).acquire())).collect();
    limiter.close();
    assert_eq!(total(&limiter).keys, 0);
    for call in &mut calls {
        assert_eq!(served(call).unwrap_err().kind(), RejectedKind::Closed);
    }
    assert_figures(&limiter, 0, 0);
}

#[test]
fn many_keys_at_once_leave_nothing_behind() {
    let limiter = Limiter::new("foreign-many", 1).keyed();
    for _ in 0..3 {
        let mut held: Vec<_> =
            (0..5_000_u32).map(|key| at_once(limiter.key(key).acquire())).collect();
        assert_eq!(total(&limiter).keys, 5_000);
        let mut waiting: Vec<_> =
            (0..5_000_u32).map(|key| waiter(limiter.key(key).acquire())).collect();
        assert_eq!(total(&limiter).keys, 5_000);
        held.reverse();
        drop(held);
        for call in &mut waiting {
            drop(served(call));
        }
        assert_eq!(total(&limiter).keys, 0);
        assert_figures(&limiter, 0, 0);
    }
}
