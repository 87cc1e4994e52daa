//! Holders of a key that grow.

use limit_runtime::{KeyedLimiter, Limiter, Permit, Rejected, RejectedKind};
use limit_tests::polling::{assert_waits, let_in, served, waiter};

fn of_key(limiter: &KeyedLimiter<Rejected>, key: char, weight: u32) -> Permit {
    let_in(limiter.key(key).acquire().weight(weight))
}

fn assert_all_free(limiter: &KeyedLimiter<Rejected>) {
    let total = limiter.snapshot().total;
    assert_eq!((total.in_use, total.waiting, total.keys), (0, 0, 0));
}

#[test]
fn no_other_call_of_the_key_is_admitted_while_a_holder_lacks_permits_of_it() {
    let limiter = Limiter::new("growing-keys-alone", 4).max_waiting(9).keyed().total(9);
    let (mut growing, other) = (of_key(&limiter, 'a', 2), of_key(&limiter, 'a', 1));
    let mut before = waiter(limiter.key('a').acquire().weight(2));
    // One is free, and it wants two.
    let mut resize = waiter(growing.resize(4));
    let refused = limiter.key('a').try_acquire().unwrap_err();
    assert_eq!((refused.kind(), refused.in_use()), (RejectedKind::NoPermits, 3));
    let mut call = waiter(limiter.key('a').acquire());
    drop(of_key(&limiter, 'b', 4));
    // A call that wants only what is free leaves, and the one behind it is not let past the holder.
    drop(before);
    assert_waits(&mut call);
    drop(resize);
    let permit = served(&mut call).unwrap();
    before = waiter(limiter.key('a').acquire());
    resize = waiter(growing.resize(4));
    drop(permit);
    assert_waits(&mut resize);
    assert_waits(&mut before);
    drop(other);
    served(&mut resize).expect("both are free");
    drop(resize);
    drop(growing);
    drop(served(&mut before).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn a_holder_waits_while_its_key_is_paused() {
    for is_own in [false, true] {
        let name = format!("growing-keys-paused-{is_own}");
        let limiter = Limiter::named(name, 2).max_waiting(9).keyed().total(9);
        let set_limit = |limit| {
            if is_own {
                limiter.set_key_limit('a', Some(limit)).unwrap();
            } else {
                limiter.set_limit(limit);
            }
        };
        let (mut growing, other) = (of_key(&limiter, 'a', 1), of_key(&limiter, 'a', 1));
        set_limit(0);
        let mut resize = waiter(growing.resize(2));
        drop(other);
        assert_waits(&mut resize);
        set_limit(2);
        served(&mut resize).expect("it is let go on");
        drop(resize);
        drop(growing);
        assert_all_free(&limiter);
    }
}

#[test]
fn a_growth_that_is_given_up_after_the_grant_gives_back_what_is_of_its_key() {
    let limiter = Limiter::new("growing-keys-given-up", 2).max_waiting(9).keyed();
    let (mut growing, other) = (of_key(&limiter, 'a', 1), of_key(&limiter, 'a', 1));
    let resize = waiter(growing.resize(2));
    drop(other);
    assert!(resize.is_woken(), "it is handed the permit");
    drop(resize);
    growing.try_resize(2).expect("it is free again");
    drop(growing);
    assert_all_free(&limiter);
}
