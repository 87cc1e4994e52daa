//! Who goes before whom, and who is refused because it would wait for ever.

use limit_runtime::{Limiter, Order, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, let_in, permit, refused, served, waiter};

#[test]
fn a_growing_call_goes_before_calls_that_hold_nothing() {
    for order in [Order::Fifo, Order::Lifo] {
        let limiter = Limiter::named(format!("growing-before-{order:?}"), 4).order(order);
        let (mut growing, other) = (let_in(limiter.acquire_many(3)), permit(&limiter));
        let mut heavy = waiter(limiter.acquire_many(2));
        let mut resize = waiter(growing.resize(4));
        let mut late = waiter(limiter.acquire().priority(200));
        assert_figures(&limiter, 4, 3);
        drop(other);
        served(&mut resize).expect("it is before the others");
        drop(resize);
        assert_eq!(growing.weight(), 4);
        assert_waits(&mut heavy);
        assert_waits(&mut late);
        drop(growing);
        drop((served(&mut heavy), served(&mut late)));
        assert_all_free(&limiter);
    }
}

#[test]
fn try_resize_takes_what_is_free_although_a_heavy_call_waits() {
    let limiter = Limiter::new("growing-passes", 4);
    let mut growing = let_in(limiter.acquire_many(2));
    let mut heavy = waiter(limiter.acquire_many(3));
    growing.try_resize(4).expect("behind the heavy call it would wait for ever");
    assert_waits(&mut heavy);
    drop(growing);
    drop(served(&mut heavy));
    assert_all_free(&limiter);
}

#[test]
fn no_other_call_is_admitted_while_one_waits_to_grow() {
    let limiter = Limiter::new("growing-alone", 4);
    let (mut growing, other) = (permit(&limiter), let_in(limiter.acquire_many(2)));
    let mut resize = waiter(growing.resize(4));
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::NoPermits);
    let mut call = waiter(limiter.acquire());
    drop(resize);
    // It has given up: the permit that was kept for it goes to the call.
    drop(served(&mut call));
    assert_eq!(growing.weight(), 1);
    resize = waiter(growing.resize(4));
    drop(other);
    served(&mut resize).expect("three are free");
    drop(resize);
    drop(growing);
    assert_all_free(&limiter);
}

#[test]
fn of_two_that_wait_for_each_other_the_second_is_refused_and_goes_on() {
    let limiter = Limiter::new("growing-deadlock", 10);
    let (mut one, mut other) = (let_in(limiter.acquire_many(5)), let_in(limiter.acquire_many(5)));
    let mut resize = waiter(one.resize(6));
    let rejected = refused(other.resize(6));
    assert_eq!((rejected.kind(), rejected.weight()), (RejectedKind::Deadlock, 6));
    assert_eq!(
        rejected.to_string(),
        "`resize` to 6 permits of concurrency limit `growing-deadlock` refused, because it would wait in a deadlock: \
         finish the call or shrink it, so that others go on; 10 of 10 permits in use, 1 waiting"
    );
    assert_eq!(other.weight(), 5);
    assert_waits(&mut resize);
    drop(other);
    served(&mut resize).expect("the other has ended");
    drop(resize);
    assert_eq!(total(&limiter).rejected.deadlock, 1);
    drop(one);
    assert_all_free(&limiter);
}

#[test]
fn several_may_wait_if_they_can_be_served_one_after_the_other() {
    let limiter = Limiter::new("growing-safe", 10);
    let [mut little, mut much, third] =
        [2, 6, 2].map(|weight| let_in(limiter.acquire_many(weight)));
    // With two free permits after the third has ended, `much` wants two and `little` six.
    let mut little_grows = waiter(little.resize(8));
    let mut much_grows = waiter(much.resize(8));
    drop(third);
    served(&mut much_grows).expect("it wants fewer, and goes first");
    drop(much_grows);
    assert_waits(&mut little_grows);
    drop(much);
    served(&mut little_grows).expect("now all are back");
    drop(little_grows);
    assert_eq!(little.weight(), 8);
    drop(little);
    assert_all_free(&limiter);
}

#[test]
fn a_lower_limit_refuses_those_that_can_never_grow() {
    let limiter = Limiter::new("growing-lowered", 10);
    let [mut one, mut two, rest] = [2, 3, 5].map(|weight| let_in(limiter.acquire_many(weight)));
    let mut first = waiter(one.resize(6));
    let mut second = waiter(two.resize(5));
    // Under a limit of 6 the second can have two when the rest is back: 5 + 2 > 6. The first wants 4 of 6: 3 + 6 > 6.
    limiter.set_limit(6);
    assert_eq!(served(&mut second).unwrap_err().kind(), RejectedKind::Deadlock);
    assert_waits(&mut first);
    limiter.set_limit(5);
    assert_eq!(served(&mut first).unwrap_err().kind(), RejectedKind::TooHeavy);
    drop((first, second));
    assert_eq!((one.weight(), two.weight()), (2, 3));
    drop((one, two, rest));
    assert_all_free(&limiter);
}
