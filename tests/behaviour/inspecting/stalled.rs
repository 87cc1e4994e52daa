//! Queues that stand still: for how long a reader knows that calls wait and none is admitted.

use super::{handle, read};
use limit_runtime::{Limiter, Scope};
use limit_tests::polling::{at_once, let_in, permit, served, waiter};
use std::time::Duration;
use tokio::time::advance;

const S: Duration = Duration::from_secs(1);

fn stalled(name: &str) -> Option<Duration> {
    read(name).usage.stalled
}

#[tokio::test(start_paused = true)]
async fn a_queue_stands_still_from_the_first_reading_that_sees_it_until_a_call_is_admitted() {
    let name = "stalled-until-admitted";
    let limiter = Limiter::new(name, 1);
    let held = permit(&limiter);
    assert_eq!(stalled(name), None, "no call waits");
    let mut first = waiter(limiter.acquire());
    advance(10 * S).await;
    assert_eq!(stalled(name), Some(Duration::ZERO), "no reading has seen it before");
    advance(30 * S).await;
    let second = waiter(limiter.acquire());
    assert_eq!(stalled(name), Some(30 * S), "another call that waits changes nothing");
    drop(held);
    let held = served(&mut first);
    advance(5 * S).await;
    assert_eq!(stalled(name), Some(Duration::ZERO), "a call was admitted since");
    advance(4 * S).await;
    assert_eq!(stalled(name), Some(4 * S));
    drop(second);
    assert_eq!(stalled(name), None);
    let _third = waiter(limiter.acquire());
    advance(S).await;
    assert_eq!(stalled(name), Some(Duration::ZERO), "it begins anew");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn nobody_expects_an_admission_while_the_limiter_is_paused_or_the_window_of_a_rate_lasts() {
    let (paused, rate) = ("stalled-paused", "stalled-rate");
    let at_rest = Limiter::new(paused, 1);
    let in_a_minute = Limiter::new(rate, 1).per(60 * S);
    let held = (permit(&at_rest), permit(&in_a_minute));
    let _waiting = (waiter(at_rest.acquire()), waiter(in_a_minute.acquire()));
    let both = || [paused, rate].map(stalled);
    assert_eq!(both(), [Some(Duration::ZERO); 2]);
    advance(60 * S).await;
    assert_eq!(both(), [Some(60 * S), Some(Duration::ZERO)]);
    at_rest.set_limit(0);
    advance(S).await;
    assert_eq!(both(), [None, Some(61 * S)], "its permit does not come back");
    handle(paused).reset();
    assert_eq!(stalled(paused), Some(Duration::ZERO), "the pause is over");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn keys_with_limits_of_their_own_go_on_while_the_others_are_paused() {
    let name = "stalled-own-limits";
    let limiter = Limiter::new(name, 0).max_waiting(9).keyed();
    limiter.set_key_limit("goes on", Some(1)).unwrap();
    let held = let_in(limiter.key("goes on").acquire());
    let paused = waiter(limiter.key("paused").acquire());
    let waiting = waiter(limiter.key("goes on").acquire());
    assert_eq!(stalled(name), Some(Duration::ZERO));
    advance(7 * S).await;
    assert_eq!(stalled(name), Some(7 * S));
    let reading = read(name);
    assert_eq!(reading.by_runtime[0].usage.stalled, Some(7 * S));
    assert_eq!(reading.full_keys, 1, "a key that is paused has no permits");
    drop(waiting);
    assert_eq!(stalled(name), None, "the call that waits is paused");
    let waiting = waiter(limiter.key("goes on").acquire());
    limiter.close();
    assert_eq!(stalled(name), None);
    limiter.reopen();
    assert_eq!(read(name).usage.waiting, 0, "they were refused");
    drop((held, paused, waiting));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_paused_by_its_own_limit_is_not_stalled_nor_is_one_that_grows() {
    let name = "stalled-own-pause";
    let limiter = Limiter::new(name, 2).keyed().total(9);
    let mut growing = at_once(limiter.key("a").acquire());
    let other = at_once(limiter.key("a").acquire());
    limiter.set_key_limit("paused", Some(0)).unwrap();
    let mut paused = waiter(limiter.key("paused").acquire());
    advance(S).await;
    assert_eq!((stalled(name), stalled(name)), (None, None));
    let grows = waiter(growing.resize(2));
    assert_eq!(stalled(name), Some(Duration::ZERO));
    advance(S).await;
    assert_eq!(stalled(name), Some(S), "it waits for the other call");
    drop((grows, other));
    assert_eq!(stalled(name), None);
    limiter.set_key_limit("paused", None).unwrap();
    drop(served(&mut paused));
}

#[tokio::test(start_paused = true)]
async fn each_runtime_has_its_own_time() {
    let name = "stalled-by-runtime";
    let limiter = Limiter::new(name, 1).scope(Scope::Process);
    let held = permit(&limiter);
    let _waiting = waiter(limiter.acquire());
    read(name);
    advance(7 * S).await;
    let reading = read(name);
    let of_process = reading.by_runtime.iter().find(|part| part.runtime == Some(0));
    assert_eq!(of_process.expect("the process").usage.stalled, Some(7 * S));
    assert_eq!(reading.by_runtime.last().expect("the ended ones").usage.stalled, None);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_runtime_whose_calls_are_held_off_hides_no_other_that_stands_still() {
    let name = "stalled-beside-held-off";
    let limiter = Limiter::adaptive(name, 1..=8).start(2);
    let held = [permit(&limiter), permit(&limiter)];
    let waiting = waiter(limiter.acquire());
    // Threads outside runtimes have permits of their own.
    let _held_off = std::thread::scope(|scope| {
        let outside = scope.spawn(|| {
            permit(&limiter).overloaded_for(3600 * S);
            waiter(limiter.acquire())
        });
        outside.join().expect("no panic")
    });
    read(name);
    advance(7 * S).await;
    let reading = read(name);
    assert_eq!((reading.usage.waiting, reading.usage.stalled), (2, Some(7 * S)));
    let of = |is_process: bool| {
        let mut parts = reading.by_runtime.iter().filter(|part| part.runtime.is_some());
        parts.find(|part| (part.runtime == Some(0)) == is_process).expect("both").usage.stalled
    };
    assert_eq!((of(true), of(false)), (None, Some(7 * S)));
    drop(held);
    drop(waiting);
    assert_eq!(stalled(name), None, "who is held off is not stalled");
}
