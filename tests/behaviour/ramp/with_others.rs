//! A ramp beside keys, shares, orders and the rest.

use super::{MS, SECOND, just_before, pass, take_all};
use limit_runtime::{Limiter, Order, RejectedKind, Share, acquire_all};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{at_once, let_in, permit, refused, served, waiter};
use std::time::Duration;
use tokio::time::{Instant, advance};

#[tokio::test(start_paused = true)]
async fn with_keys_the_total_rises_and_each_key_has_its_limit() {
    let limiter = Limiter::new("ramp-keys", 2).ramp(40 * SECOND).keyed().total(5);
    let _one = at_once(limiter.key(1).acquire());
    let (mut other, mut third) =
        (waiter(limiter.key(2).acquire()), waiter(limiter.key(1).acquire()));
    let figures = total(&limiter);
    assert_eq!((figures.total, figures.limit, figures.withheld), (Some(5), 2, 4));
    let rejected = limiter.key(3).try_acquire().unwrap_err();
    assert_eq!((rejected.limit(), rejected.in_use()), (2, 0));
    assert!(
        rejected.to_string().contains("the total of 1 is reached, 1 let in so far"),
        "{rejected}"
    );
    pass(10 * SECOND).await;
    let _other = served(&mut other);
    assert!(!third.is_woken());
    pass(10 * SECOND).await;
    let _third = served(&mut third);
    // The key has its two, whatever the total.
    pass(20 * SECOND).await;
    let rejected = limiter.key(1).try_acquire().unwrap_err();
    assert_eq!((rejected.limit(), rejected.in_use()), (2, 2));
    drop((at_once(limiter.key(3).acquire()), at_once(limiter.key(4).acquire())));
}

#[tokio::test(start_paused = true)]
async fn without_a_total_keys_have_no_ramp() {
    let limiter = Limiter::new("ramp-no-total", 2).ramp(40 * SECOND).keyed();
    let _held: Vec<_> =
        [1, 1, 2, 2, 3].map(|key| at_once(limiter.key(key).acquire())).into_iter().collect();
    assert_eq!(total(&limiter).withheld, 0);
    // One that is set on the way is a part of the way up.
    advance(20 * SECOND).await;
    limiter.set_total(15);
    assert_eq!(total(&limiter).withheld, 7);
}

#[tokio::test(start_paused = true)]
async fn shares_are_parts_of_what_is_let_in() {
    static LIMITER: Limiter = Limiter::new("ramp-shares", 10)
        .shares(&[Share::new("live", 50).reserved()])
        .ramp(Duration::from_secs(90));
    let rest = take_all(&LIMITER);
    assert_eq!(rest.len(), 1, "the only one goes to whoever comes first");
    advance(30 * SECOND).await;
    let more = take_all(&LIMITER);
    assert_eq!(more.len(), 1, "of four, two are kept for the other share");
    let live = [(); 2].map(|()| at_once(LIMITER.share("live").acquire()));
    let mut next = waiter(LIMITER.share("live").acquire());
    pass(10 * SECOND).await;
    drop(served(&mut next));
    // The figures say what a share is guaranteed when all are let in.
    let shares = LIMITER.snapshot().shares;
    assert_eq!(shares[0].guaranteed, 5);
    drop((rest, more, live));
}

#[tokio::test(start_paused = true)]
async fn a_share_waits_for_a_weight_that_only_the_whole_limit_allows() {
    static LIMITER: Limiter = Limiter::new("ramp-share-weighs", 10)
        .shares(&[Share::new("live", 50)])
        .ramp(Duration::from_secs(90));
    let begin = Instant::now();
    let heavy = LIMITER.share("live").acquire().weight(10).await.unwrap();
    assert_eq!((heavy.weight(), begin.elapsed()), (10, 90 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn the_newest_call_is_let_in_first() {
    let limiter = Limiter::new("ramp-lifo", 5).order(Order::Lifo).max_waiting(2).ramp(40 * SECOND);
    let _held = let_in(limiter.acquire());
    let mut calls = [(); 3].map(|()| waiter(limiter.acquire()));
    assert_eq!(served(&mut calls[0]).unwrap_err().kind(), RejectedKind::Evicted);
    pass(10 * SECOND).await;
    let _newest = served(&mut calls[2]).unwrap();
    assert!(!calls[1].is_woken());
    pass(10 * SECOND).await;
    let _older = served(&mut calls[1]).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_call_of_the_highest_priority_is_let_in_first() {
    let limiter = Limiter::new("ramp-priorities", 5).ramp(40 * SECOND);
    let _held = permit(&limiter);
    let low = waiter(limiter.acquire());
    let mut high = waiter(limiter.acquire().priority(3));
    pass(10 * SECOND).await;
    let _high = served(&mut high);
    assert!(!low.is_woken());
}

#[tokio::test(start_paused = true)]
async fn the_call_of_the_earliest_deadline_is_let_in_first_and_a_late_one_not_at_all() {
    let limiter = Limiter::new("ramp-deadlines", 5)
        .order(Order::Deadline)
        .max_wait(60 * SECOND)
        .ramp(40 * SECOND);
    let _held = let_in(limiter.acquire());
    let far = waiter(limiter.acquire());
    let mut near = waiter(limiter.acquire().max_wait(15 * SECOND));
    let mut late = waiter(limiter.acquire().max_wait(5 * SECOND));
    pass(10 * SECOND).await;
    let _near = served(&mut near).unwrap();
    assert_eq!(served(&mut late).unwrap_err().kind(), RejectedKind::TimedOut);
    assert!(!far.is_woken());
}

#[tokio::test(start_paused = true)]
async fn no_call_is_refused_early_while_permits_are_withheld() {
    let limiter = Limiter::new("ramp-early", 3).max_wait(2 * SECOND).early().ramp(40 * SECOND);
    let mut held = let_in(limiter.acquire());
    // A queue that moves by one call in a second, for long enough to have a pace.
    let mut waiting: Vec<_> = (0..2).map(|_| waiter(limiter.acquire())).collect();
    for _ in 0..15 {
        pass(SECOND).await;
        drop(held);
        held = served(&mut waiting.remove(0)).unwrap();
        waiting.push(waiter(limiter.acquire()));
    }
    let _more: Vec<_> = (0..9).map(|_| waiter(limiter.acquire())).collect();
    assert_eq!(total(&limiter).rejected.would_time_out, 0);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_grows_waits_for_the_ramp_and_is_no_deadlock() {
    let limiter = Limiter::new("ramp-grows", 5).max_waiting(9).ramp(40 * SECOND);
    let mut held = let_in(limiter.acquire());
    assert_eq!(held.try_resize(3).unwrap_err().kind(), RejectedKind::NoPermits);
    assert_eq!(held.try_resize(6).unwrap_err().kind(), RejectedKind::TooHeavy);
    let begin = Instant::now();
    held.resize(4).await.unwrap();
    assert_eq!((held.weight(), begin.elapsed()), (4, 30 * SECOND));
    held.resize(1).await.unwrap();
    assert_eq!(take_all(&limiter).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_holder_of_a_share_grows_with_the_ramp() {
    static LIMITER: Limiter = Limiter::new("ramp-share-grows", 10)
        .shares(&[Share::new("live", 50)])
        .ramp(Duration::from_secs(90));
    let mut held = at_once(LIMITER.share("live").acquire());
    let begin = Instant::now();
    held.resize(10).await.unwrap();
    assert_eq!(begin.elapsed(), 90 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_call_for_several_limits_takes_part_in_each_ramp() {
    let (quick, slow) = (
        Limiter::new("ramp-all-quick", 5).ramp(4 * SECOND),
        Limiter::new("ramp-all-slow", 5).ramp(40 * SECOND),
    );
    let _first = at_once(acquire_all((&quick, &slow)));
    let begin = Instant::now();
    let _second = acquire_all((&quick, &slow)).await;
    assert_eq!(begin.elapsed(), 10 * SECOND);
    assert_figures(&quick, 2, 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_a_closed_limiter_too() {
    let limiter = Limiter::new("ramp-closes", 5).max_waiting(1).ramp(40 * SECOND);
    let _held = let_in(limiter.acquire());
    let mut waiting = waiter(limiter.acquire());
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::QueueFull);
    limiter.close();
    assert_eq!(served(&mut waiting).unwrap_err().kind(), RejectedKind::Closed);
    limiter.reopen();
    pass(just_before(10 * SECOND)).await;
    assert!(limiter.try_acquire().is_err());
    pass(MS).await;
    assert!(limiter.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_off_lets_calls_in_and_they_count_as_calls() {
    let limiter = Limiter::new("ramp-off", 5).ramp(40 * SECOND);
    limiter.set_enabled(false);
    assert_eq!(std::iter::repeat_with(|| permit(&limiter)).take(9).count(), 9);
    advance(39 * SECOND).await;
    drop(permit(&limiter));
    advance(39 * SECOND).await;
    limiter.set_enabled(true);
    assert_eq!(take_all(&limiter).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_is_made_again_ramps_again() {
    for _ in 0..3 {
        let limiter = Limiter::named("ramp-again", 5).ramp(40 * SECOND);
        let _held = permit(&limiter);
        let mut next = waiter(limiter.acquire());
        assert_eq!(total(&limiter).withheld, 4);
        pass(10 * SECOND).await;
        let _next = served(&mut next);
    }
    // Its index may be one that had a ramp.
    let plain = Limiter::named("ramp-not-again", 5);
    assert_eq!(take_all(&plain).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn it_drains_as_other_limiters_do() {
    let limiter = Limiter::new("ramp-drains", 5).ramp(40 * SECOND);
    let held = permit(&limiter);
    let mut next = waiter(limiter.acquire());
    let mut drained = waiter(limiter.drain());
    pass(10 * SECOND).await;
    drop((held, served(&mut next)));
    served(&mut drained);
}
