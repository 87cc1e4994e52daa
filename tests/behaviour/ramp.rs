//! Ramps: a limit that rises from one permit after a start, on the paused clock.

mod figures;
mod oracle;
mod random;
mod threads;
mod with_others;

use limit_runtime::{Admission, Limiter, Permit, RejectedKind};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{assert_waits, permit, served, waiter};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Takes as many permits as there are at once.
fn take_all<E: Admission>(limiter: &Limiter<E>) -> Vec<Permit> {
    std::iter::from_fn(|| limiter.try_acquire().ok()).collect()
}

/// Returns a time that is a little shorter.
fn just_before(time: Duration) -> Duration {
    time.saturating_sub(MS)
}

/// Waits, and lets the tasks run whose time has come.
async fn pass(time: Duration) {
    advance(time).await;
    for _ in 0..5 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_let_in_one_by_one_until_the_limit_is_reached() {
    let limiter = Arc::new(Limiter::new("ramp-starts", 5).ramp(40 * SECOND));
    let (begin, starts) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    for _ in 0..8 {
        let (limiter, starts) = (Arc::clone(&limiter), Arc::clone(&starts));
        tokio::spawn(async move {
            let permit = limiter.acquire().await;
            starts.lock().unwrap().push(begin.elapsed());
            sleep(1_000 * SECOND).await;
            drop(permit);
        });
    }
    sleep(999 * SECOND).await;
    let expected = [0, 10, 20, 30, 40].map(Duration::from_secs);
    assert_eq!(*starts.lock().unwrap(), expected);
    assert_figures(&limiter, 5, 3);
}

#[tokio::test(start_paused = true)]
async fn the_whole_limit_is_there_exactly_when_the_time_is_over() {
    let limiter = Limiter::new("ramp-ends", 5).ramp(40 * SECOND);
    let mut held = take_all(&limiter);
    assert_eq!(held.len(), 1);
    for (time, free) in
        [(9_999 * MS, 0), (MS, 1), (19_999 * MS, 1), (MS, 1), (9_999 * MS, 0), (MS, 1)]
    {
        advance(time).await;
        let more = take_all(&limiter);
        assert_eq!(more.len(), free, "after {time:?} more");
        held.extend(more);
    }
    assert_eq!(held.len(), 5);
    advance(1_000 * SECOND).await;
    assert!(limiter.try_acquire().is_err(), "there is no sixth");
}

#[tokio::test(start_paused = true)]
async fn it_starts_with_the_first_call_however_late_that_is() {
    let limiter = Limiter::new("ramp-late", 5).ramp(40 * SECOND);
    let _ = (limiter.limit(), limiter.snapshot());
    advance(100 * SECOND).await;
    assert_eq!(take_all(&limiter).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_starts_anew_after_a_rest_as_long_as_the_ramp_and_not_before() {
    let limiter = Limiter::new("ramp-rests", 5).ramp(40 * SECOND);
    drop(permit(&limiter));
    advance(just_before(40 * SECOND)).await;
    let held = take_all(&limiter);
    assert_eq!(held.len(), 4, "nearly at its end");
    advance(100 * SECOND).await;
    drop(held);
    advance(just_before(40 * SECOND)).await;
    assert_eq!(take_all(&limiter).len(), 5, "permits were out until a moment ago");
    advance(40 * SECOND).await;
    assert_eq!(total(&limiter).withheld, 0, "nobody has come yet");
    assert_eq!(take_all(&limiter).len(), 1);
    assert_eq!(total(&limiter).withheld, 4);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_or_gives_up_waiting_ends_a_rest_as_well() {
    let limiter = Limiter::new("ramp-refused", 5).ramp(40 * SECOND);
    drop(permit(&limiter));
    limiter.set_limit(0);
    for _ in 0..3 {
        advance(30 * SECOND).await;
        assert!(limiter.try_acquire().is_err());
    }
    let waiting = waiter(limiter.acquire());
    advance(100 * SECOND).await;
    drop(waiting);
    advance(39 * SECOND).await;
    limiter.set_limit(5);
    assert_eq!(take_all(&limiter).len(), 5);
    // Nobody comes at limit 0 now.
    limiter.set_limit(0);
    advance(40 * SECOND).await;
    limiter.set_limit(5);
    assert_eq!(take_all(&limiter).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_weighs_more_than_is_let_in_waits_until_the_ramp_has_come_that_far() {
    let limiter = Limiter::new("ramp-heavy", 5).max_waiting(9).ramp(40 * SECOND);
    assert_eq!(limiter.try_acquire_many(3).unwrap_err().kind(), RejectedKind::NoPermits);
    assert_eq!(limiter.try_acquire_many(6).unwrap_err().kind(), RejectedKind::TooHeavy);
    let mut heavy = waiter(limiter.acquire().weight(3));
    let light = waiter(limiter.acquire());
    pass(just_before(20 * SECOND)).await;
    assert!(!heavy.is_woken());
    pass(MS).await;
    let heavy = served(&mut heavy).unwrap();
    assert_eq!(heavy.weight(), 3);
    assert!(!light.is_woken(), "it stands behind");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gives_up_leaves_its_permit_to_the_next_at_the_same_time() {
    let limiter = Limiter::new("ramp-cancels", 5).ramp(40 * SECOND);
    let _held = permit(&limiter);
    let (first, mut second) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    pass(5 * SECOND).await;
    drop(first);
    pass(just_before(5 * SECOND)).await;
    assert!(!second.is_woken());
    pass(MS).await;
    drop(served(&mut second));
    assert_eq!(total(&limiter).cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_comes_back_serves_the_next_call_during_the_ramp() {
    let limiter = Limiter::new("ramp-returns", 5).ramp(40 * SECOND);
    let held = permit(&limiter);
    let mut next = waiter(limiter.acquire());
    pass(SECOND).await;
    drop(held);
    let _next = served(&mut next);
    assert_eq!((total(&limiter).in_use, total(&limiter).withheld), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_changes_on_the_way_keeps_the_part_of_the_time_that_has_passed() {
    let limiter = Limiter::new("ramp-changes", 5).ramp(40 * SECOND);
    let mut held = vec![permit(&limiter)];
    let mut waiting: Vec<_> = (0..9).map(|_| waiter(limiter.acquire())).collect();
    pass(20 * SECOND).await;
    // 1 + 8 · ½: two calls more than at limit 5.
    limiter.set_limit(9);
    for call in waiting.drain(..4) {
        let mut call = call;
        assert!(call.is_woken());
        held.push(served(&mut call));
    }
    assert!(!waiting[0].is_woken());
    // The ticker has heard of the shorter steps.
    pass(5 * SECOND).await;
    held.push(served(&mut waiting.remove(0)));
    // 1 + ⌊2 · ⅝⌋ are let in, and six are out.
    limiter.set_limit(3);
    assert_eq!((total(&limiter).in_use, total(&limiter).withheld), (6, 1));
    held.truncate(2);
    yield_now().await;
    assert!(!waiting[0].is_woken(), "two are out, and two are let in");
    pass(15 * SECOND).await;
    held.push(served(&mut waiting.remove(0)));
    assert_eq!((total(&limiter).in_use, total(&limiter).withheld), (3, 0));
    // The ramp is over: all of a raised limit is there at once.
    limiter.set_limit(5);
    for mut call in waiting.drain(..2) {
        held.push(served(&mut call));
    }
    assert!(!waiting[0].is_woken());
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_raised_from_one_on_the_way_is_followed_by_those_that_wait() {
    let limiter = Limiter::new("ramp-from-one", 1).ramp(40 * SECOND);
    let _held = permit(&limiter);
    let mut next = waiter(limiter.acquire());
    pass(10 * SECOND).await;
    limiter.set_limit(3);
    pass(just_before(10 * SECOND)).await;
    assert!(!next.is_woken());
    pass(MS).await;
    drop(served(&mut next));
}

#[tokio::test(start_paused = true)]
async fn limit_0_pauses_and_the_time_goes_on() {
    let limiter = Limiter::new("ramp-pauses", 5).ramp(40 * SECOND);
    let held = permit(&limiter);
    limiter.set_limit(0);
    drop(held);
    let mut next = waiter(limiter.acquire());
    pass(20 * SECOND).await;
    assert_waits(&mut next);
    limiter.set_limit(5);
    let _next = served(&mut next);
    assert_eq!((total(&limiter).in_use, total(&limiter).withheld), (1, 2));
    pass(100 * SECOND).await;
    assert_eq!(take_all(&limiter).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn no_time_at_all_is_no_ramp() {
    let limiter = Limiter::new("ramp-zero", 5).ramp(Duration::ZERO);
    assert_eq!(take_all(&limiter).len(), 5);
    assert_eq!(limiter.snapshot().ramp, None);
}

#[tokio::test(start_paused = true)]
async fn a_ramp_of_all_the_time_there_is_lets_one_in() {
    let limiter = Limiter::new("ramp-for-ever", 1_000).ramp(Duration::MAX);
    let held = take_all(&limiter);
    assert_eq!(held.len(), 1);
    let next = waiter(limiter.acquire());
    pass(1_000_000 * SECOND).await;
    assert!(!next.is_woken());
}
