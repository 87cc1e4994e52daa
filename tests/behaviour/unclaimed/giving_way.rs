//! Calls whose grants were taken back, where a queue is full or a holder grows.

use super::{SOON, eventually, kinds};
use limit_runtime::{Limiter, Order, Permit, Rejected, RejectedKind};
use limit_tests::figures::assert_all_free;
use limit_tests::polling::{assert_waits, at_once, let_in, refused, served, waiter};
use std::future::Future;
use std::time::Duration;
use tokio_test::task::Spawn;

fn bounded(name: &str, limit: usize) -> Limiter<Rejected> {
    Limiter::named(name.to_owned(), limit).max_waiting(limit).claim_within(SOON)
}

/// Hands all permits to calls that are not polled. Others have them then. Returns both.
fn absent<F: Future<Output = Result<Permit, Rejected>>>(
    call: impl Fn() -> F,
    calls: usize,
) -> (Vec<Spawn<F>>, Vec<Permit>) {
    let held: Vec<_> = (0..calls).map(|_| let_in(call())).collect();
    let absent: Vec<_> = (0..calls).map(|_| waiter(call())).collect();
    drop(held);
    let mut next: Vec<_> = (0..calls).map(|_| waiter(call())).collect();
    eventually(|| next.iter().all(Spawn::is_woken));
    (absent, next.iter_mut().map(|call| served(call).unwrap()).collect())
}

#[test]
fn a_call_that_has_come_back_does_not_give_way_to_a_higher_one() {
    for priority in [0, 1] {
        let limiter = bounded(&format!("giving-way-back-{priority}"), 1).priority(priority);
        let (mut back, held) = absent(|| limiter.acquire(), 1);
        assert!(back[0].poll().is_pending());
        assert_eq!(refused(limiter.acquire().priority(9)).kind(), RejectedKind::QueueFull);
        drop(held);
        drop(served(&mut back[0]).unwrap());
        assert_all_free(&limiter);
    }
}

#[test]
fn a_call_that_no_call_has_a_priority_beside_does_not_give_way_when_it_has_come_back() {
    let limiter = bounded("giving-way-plain", 1);
    let (mut back, held) = absent(|| limiter.acquire(), 1);
    assert!(back[0].poll().is_pending());
    assert_eq!(refused(limiter.acquire().priority(9)).kind(), RejectedKind::QueueFull);
    drop(held);
    drop(served(&mut back[0]).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn with_the_newest_first_a_call_that_is_away_gives_way() {
    let limiter = bounded("giving-way-away", 1).order(Order::Lifo);
    let (mut away, held) = absent(|| limiter.acquire(), 1);
    let mut newest = waiter(limiter.acquire());
    let rejected = match away[0].poll() {
        std::task::Poll::Ready(result) => result.unwrap_err(),
        std::task::Poll::Pending => panic!("it is refused"),
    };
    assert_eq!(rejected.kind(), RejectedKind::Evicted);
    drop(held);
    drop(served(&mut newest).unwrap());
    assert_all_free(&limiter);
}

#[tokio::test]
async fn calls_that_have_come_back_are_before_all_deadlines_in_the_order_of_their_grants() {
    let hour = Duration::from_secs(3600);
    let limiter = bounded("giving-way-deadlines", 2).max_waiting(9).order(Order::Deadline);
    let (mut back, mut held) = absent(|| limiter.acquire().max_wait(hour), 2);
    let mut urgent = waiter(limiter.acquire().max_wait(hour / 2));
    assert!(back[1].poll().is_pending());
    assert!(back[0].poll().is_pending());
    held.pop();
    let first = served(&mut back[0]).unwrap();
    assert_waits(&mut back[1]);
    held.pop();
    drop((served(&mut back[1]).unwrap(), first));
    drop(served(&mut urgent).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn permits_of_a_key_that_nobody_claims_go_to_a_holder_that_grows_and_lacks_the_total() {
    let limiter = Limiter::new("giving-way-grows", 9).keyed().total(3).claim_within(SOON);
    let mut growing = at_once(limiter.key('a').acquire());
    let [one, other] = ['b', 'c'].map(|key| at_once(limiter.key(key).acquire()));
    let mut absent = waiter(limiter.key('d').acquire());
    drop(one);
    let mut resize = waiter(growing.resize(2));
    eventually(|| resize.is_woken());
    served(&mut resize).expect("the other is not polled");
    drop(resize);
    assert!(absent.poll().is_pending());
    drop((growing, other));
    drop(served(&mut absent));
    assert_eq!(limiter.snapshot().total.taken_back, 1);
}

#[test]
fn permits_of_a_key_that_nobody_claims_stay_if_a_holder_of_another_key_lacks_its_own() {
    let limiter = Limiter::new("giving-way-beside", 2).keyed().claim_within(SOON);
    let [mut growing, other] = ['a', 'a'].map(|key| at_once(limiter.key(key).acquire()));
    let [one, two] = ['b', 'b'].map(|key| at_once(limiter.key(key).acquire()));
    let mut absent = waiter(limiter.key('b').acquire());
    drop(one);
    let mut resize = waiter(growing.resize(2));
    // The watcher has looked when it has taken a grant back elsewhere.
    kinds::calls_of_a_process();
    assert_eq!(limiter.snapshot().total.taken_back, 0);
    drop((served(&mut absent), other));
    served(&mut resize).expect("the other call has ended");
    drop((resize, two));
}
