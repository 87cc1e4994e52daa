//! Growing and shrinking at limiters of all kinds.

use limit_runtime::{
    KeyedLimiter, Limiter, OnDeadlock, Permit, Rejected, RejectedKind, Scope, Share,
    concurrency_limit,
};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, refused, served, waiter};
use limit_tests::runtimes::{one_thread, paused};
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::sleep;

fn of_key(limiter: &KeyedLimiter, key: &'static str, weight: u32) -> Permit {
    let_in(limiter.key(key).acquire().weight(weight))
}

#[test]
fn a_holder_that_lacks_permits_of_its_key_keeps_that_key_waiting_and_no_other() {
    let limiter: KeyedLimiter = Limiter::new("growing-key", 3).keyed();
    let (mut growing, other) = (of_key(&limiter, "a", 2), of_key(&limiter, "a", 1));
    let mut resize = waiter(growing.resize(3));
    let mut same_key = waiter(limiter.key("a").acquire());
    let other_key = of_key(&limiter, "b", 3);
    assert_waits(&mut same_key);
    drop(other);
    served(&mut resize).expect("it is before the call");
    drop(resize);
    assert_eq!(growing.weight(), 3);
    growing.try_resize(2).expect("shrinking never fails");
    drop(served(&mut same_key));
    let rejected = growing.try_resize(4).unwrap_err();
    assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::TooHeavy, 3));
    drop((growing, other_key));
    assert_eq!((limiter.snapshot().total.in_use, limiter.snapshot().total.keys), (0, 0));
}

#[test]
fn a_holder_that_lacks_permits_of_the_total_is_before_the_calls_of_all_keys() {
    let limiter: KeyedLimiter = Limiter::new("growing-total", 4).keyed().total(5);
    let (mut growing, other) = (of_key(&limiter, "a", 2), of_key(&limiter, "b", 2));
    let mut heavy = waiter(limiter.key("c").acquire().weight(2));
    let mut resize = waiter(growing.resize(4));
    assert_waits(&mut heavy);
    assert_eq!(limiter.key("d").try_acquire().unwrap_err().kind(), RejectedKind::NoPermits);
    let mut late = waiter(limiter.key("d").acquire());
    drop(other);
    served(&mut resize).expect("three are free");
    drop(resize);
    assert_waits(&mut heavy);
    assert_waits(&mut late);
    drop(growing);
    drop((served(&mut heavy), served(&mut late)));
    // A deadlock over the total, of two keys.
    let (mut one, mut two) = (of_key(&limiter, "a", 3), of_key(&limiter, "b", 2));
    let resize = waiter(one.resize(4));
    assert_eq!(refused(two.resize(3)).kind(), RejectedKind::Deadlock);
    drop(resize);
    drop((one, two));
    assert_eq!((limiter.snapshot().total.in_use, limiter.snapshot().total.keys), (0, 0));
}

#[test]
fn calls_of_keys_go_on_when_nobody_waits_to_grow_any_more() {
    let limiter: KeyedLimiter = Limiter::new("growing-fast", 2).keyed();
    let (mut growing, other) = (of_key(&limiter, "a", 1), of_key(&limiter, "a", 1));
    drop(waiter(growing.resize(2)));
    drop(other);
    drop(of_key(&limiter, "a", 1));
    growing.try_resize(2).expect("one is free");
    drop(growing);
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

#[test]
fn a_growing_call_keeps_to_the_bounds_of_its_share() {
    const SHARES: &[Share] =
        &[Share::new("live", 50).at_most(60), Share::new("probe", 20).reserved()];
    let limiter = Limiter::new("growing-shares", 10).max_waiting(9).shares(SHARES);
    let of = |share, weight| let_in(limiter.share(share).acquire().weight(weight));
    let (mut live, rest) = (of("live", 5), of("rest", 3));
    assert_eq!(live.try_resize(7).unwrap_err().kind(), RejectedKind::TooHeavy);
    // Two are free, and both are reserved for probes.
    let mut resize = waiter(live.resize(6));
    assert_waits(&mut resize);
    let probe = limiter.share("probe").try_acquire().expect("it is reserved");
    assert_eq!(limiter.share("rest").try_acquire().unwrap_err().kind(), RejectedKind::NoPermits);
    drop(rest);
    served(&mut resize).expect("the rest is back");
    drop(resize);
    let figures = limiter.snapshot().shares;
    assert_eq!((figures[0].in_use, figures[1].in_use, figures[2].in_use), (6, 1, 0));
    drop((live, probe));
    assert!(limiter.snapshot().shares.iter().all(|share| (share.in_use, share.waiting) == (0, 0)));
}

#[test]
fn at_a_shadow_nobody_waits_to_grow_and_it_is_counted() {
    let limiter = Limiter::new("growing-shadow", 2).max_waiting(9).shadow();
    let (mut growing, other) = (at_once(limiter.acquire()), at_once(limiter.acquire()));
    at_once(growing.resize(2)).expect("a shadow refuses nobody");
    assert_eq!((growing.weight(), total(&limiter).shadowed.waited), (2, 1));
    assert_eq!(total(&limiter).in_use, 3);
    at_once(growing.resize(3)).expect("a shadow refuses nobody");
    assert_eq!((growing.weight(), total(&limiter).shadowed.rejected.too_heavy), (2, 1));
    drop((growing, other));
    assert_eq!(total(&limiter).in_use, 0);
}

#[test]
fn those_that_wait_to_grow_go_on_when_the_limiter_is_switched_off_or_becomes_a_shadow() {
    let limiter = Limiter::new("growing-off", 2);
    let (mut growing, other) = (permit(&limiter), permit(&limiter));
    let mut resize = waiter(growing.resize(2));
    limiter.set_enabled(false);
    served(&mut resize).expect("nobody is held back");
    drop(resize);
    assert_eq!(growing.weight(), 1, "it takes nothing");
    limiter.set_enabled(true);
    let mut resize = waiter(growing.resize(2));
    limiter.set_shadow(true).expect("it can be one");
    served(&mut resize).expect("nobody is held back");
    drop(resize);
    assert_eq!(growing.weight(), 2);
    limiter.set_shadow(false).expect("it need not be one");
    drop((growing, other));
    assert_all_free(&limiter);
}

#[test]
fn with_a_rate_a_growth_takes_of_the_window_and_waits_for_the_next() {
    let runtime = paused();
    runtime.block_on(async {
        let limiter = Limiter::new("growing-rate", 3).per(Duration::from_secs(10));
        let start = tokio::time::Instant::now();
        let mut growing = limiter.acquire().await;
        growing.resize(2).await.expect("two are free");
        drop(limiter.acquire().await);
        growing.resize(3).await.expect("it waits for the window");
        assert_eq!(start.elapsed().as_secs(), 10);
        // The window of all three begins with the growth.
        drop(growing);
        drop(limiter.acquire().await);
        assert_eq!(start.elapsed().as_secs(), 20);
    });
}

#[test]
fn with_a_rate_what_a_call_gives_back_counts_until_its_window_is_over() {
    let runtime = paused();
    runtime.block_on(async {
        let limiter = Limiter::new("growing-rate-shrinks", 2).per(Duration::from_secs(10));
        let start = tokio::time::Instant::now();
        let mut shrinking = limiter.acquire_many(2).await.expect("both are free");
        shrinking.resize(1).await.expect("shrinking never fails");
        drop(limiter.acquire().await);
        assert_eq!((start.elapsed().as_secs(), shrinking.weight()), (10, 1));
    });
}

#[test]
fn the_permits_are_those_of_the_runtime_that_admitted_the_call() {
    let limiter = Limiter::new("growing-runtimes", 2);
    let (first, second) = (one_thread(), one_thread());
    let (mut growing, other) = first.block_on(async { (permit(&limiter), permit(&limiter)) });
    second.block_on(async {
        let held = permit(&limiter);
        let mut resize = waiter(growing.resize(2));
        drop(held);
        assert_waits(&mut resize);
        drop(other);
        served(&mut resize).expect("it is of the first runtime");
    });
    assert_eq!(growing.weight(), 2);
    let of_first = first.block_on(async { limiter.try_acquire() });
    assert_eq!(of_first.unwrap_err().kind(), RejectedKind::NoPermits);
    drop(second.block_on(async { limiter.try_acquire_many(2) }).expect("both are free"));
}

#[test]
fn a_growth_outlives_the_runtime_of_its_permit() {
    let limiter = Limiter::new("growing-retired", 2);
    let runtime = one_thread();
    let (mut growing, other) = runtime.block_on(async { (permit(&limiter), permit(&limiter)) });
    let mut resize = waiter(growing.resize(2));
    drop(runtime);
    // It is told to look for another runtime, and has none.
    assert!(resize.poll().is_pending());
    drop(other);
    served(&mut resize).expect("the permits are there for as long as they are out");
    drop(resize);
    assert_eq!(growing.weight(), 2);
    drop(growing);
    assert_eq!(total(&limiter).in_use, 0);
}

#[test]
fn a_call_of_a_fleet_has_one_permit() {
    let limiter = Limiter::new("growing-fleet", 9).scope(Scope::Fleet);
    let mut growing = permit(&limiter);
    assert_eq!(growing.try_resize(2).unwrap_err().kind(), RejectedKind::TooHeavy);
    assert_eq!(refused(growing.resize(2)).kind(), RejectedKind::TooHeavy);
    growing.try_resize(1).expect("nothing changes");
    drop(growing);
    assert_eq!(total(&limiter).in_use, 0);
}

#[test]
fn a_call_of_a_limit_that_adapts_grows_to_the_lowest_limit_at_most() {
    let limiter = Limiter::adaptive("growing-adapts", 3..=100);
    let mut growing = at_once(limiter.acquire());
    growing.try_resize(3).expect("that many are always there");
    assert_eq!(growing.try_resize(4).unwrap_err().kind(), RejectedKind::TooHeavy);
    drop(growing);
    assert_eq!(total(&limiter).in_use, 0);
}

/// Waits until something has happened. The watcher uses real time.
fn eventually(mut has_happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !has_happened() {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn permits_that_a_growth_does_not_claim_go_to_others_until_it_is_polled() {
    let limiter = Limiter::new("growing-unclaimed", 2).claim_within(Duration::from_millis(300));
    let (mut growing, other) = (permit(&limiter), permit(&limiter));
    let mut absent = waiter(growing.resize(2));
    let mut call = waiter(limiter.acquire());
    drop(other);
    assert!(absent.is_woken(), "it is handed the permit");
    eventually(|| call.is_woken());
    let held = served(&mut call);
    assert_eq!(total(&limiter).taken_back, 1);
    let mut late = waiter(limiter.acquire());
    assert!(absent.poll().is_pending(), "it waits again");
    drop(held);
    served(&mut absent).expect("it is before the call again");
    assert_waits(&mut late);
    drop(absent);
    drop(growing);
    drop(served(&mut late));
    assert_all_free(&limiter);
}

#[test]
fn the_body_of_an_annotated_function_resizes_its_permit() {
    #[concurrency_limit(5, name = "growing-annotated", permit = permit, max_waiting = 3)]
    async fn download(head: u32) -> Result<u32, Rejected> {
        let mut permit = permit;
        permit.resize(head).await?;
        Ok(permit.weight())
    }

    assert_eq!(at_once(download(4)).expect("they are free"), 4);
    assert_eq!(at_once(download(6)).unwrap_err().kind(), RejectedKind::TooHeavy);
    let limiter = limit_runtime::find("growing-annotated").expect("it is in use");
    assert_eq!(limiter.snapshot().total.in_use, 0);
}

#[test]
fn a_heavier_permit_can_be_parted_and_put_together() {
    let limiter = Limiter::new("growing-parted", 6).on_deadlock(OnDeadlock::Warn);
    let (mut growing, other) = (permit(&limiter), let_in(limiter.acquire_many(3)));
    let mut resize = waiter(growing.resize(4));
    drop(other);
    served(&mut resize).expect("they are free");
    drop(resize);
    let part = growing.split(2).expect("there are four");
    growing.merge(part).expect("both are of one limiter");
    growing.try_resize(6).expect("two are free");
    assert_figures(&limiter, 6, 0);
    drop(growing);
    assert_all_free(&limiter);
}

/// A question halves the limit for a moment, and refuses nobody.
#[tokio::test(start_paused = true)]
async fn two_that_grow_during_a_question_wait_for_its_end() {
    static LIMITER: Limiter<Rejected> = Limiter::adaptive("growing-question", 4..=10)
        .start(10)
        .max_wait(Duration::from_secs(1_000));
    let [mut one, mut other] = [(); 2].map(|()| let_in(LIMITER.acquire_many(2)));
    for _ in 0..20 {
        tokio::spawn(async {
            while let Ok(_permit) = LIMITER.acquire().await {
                sleep(Duration::from_millis(10)).await;
            }
        });
    }
    let is_asking = || LIMITER.snapshot().adaptive.is_some_and(|figures| figures.is_asking);
    while !(is_asking() && LIMITER.limit() < Some(6)) {
        sleep(Duration::from_millis(1)).await;
    }
    let (one, other) = tokio::join!(one.resize(4), async {
        let grown = other.resize(4).await;
        drop(other);
        grown
    });
    other.expect("it waits until the question is answered");
    one.expect("it waits until the other has ended");
}
