//! A full queue gives way by priority.

use limit_runtime::{Limiter, Rejected, RejectedKind, Share};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, refused, served, waiter};
use std::time::Duration;
use tokio::time::advance;

const MS: Duration = Duration::from_millis(1);

fn bounded(name: &'static str, limit: usize, bound: usize) -> Limiter<Rejected> {
    Limiter::new(name, limit).max_waiting(bound)
}

#[tokio::test(start_paused = true)]
async fn the_youngest_of_the_lowest_priority_gives_way_to_a_higher_call() {
    let limiter = bounded("evicted-lowest", 1, 3);
    let held = let_in(limiter.acquire());
    let mut middle = waiter(limiter.acquire().priority(5));
    let mut older = waiter(limiter.acquire().priority(1));
    let mut younger = waiter(limiter.acquire().priority(1));
    advance(10 * MS).await;
    let mut higher = waiter(limiter.acquire().priority(2));

    let rejected = served(&mut younger).unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::Evicted, 10 * MS));
    assert_eq!((rejected.in_use(), rejected.waiting()), (1, 2), "those who were left");
    assert_eq!(rejected.retry_after(), None);
    assert_waits(&mut older);
    assert_figures(&limiter, 1, 3);
    assert_eq!((total(&limiter).rejected.evicted, total(&limiter).most_waiting), (1, 3));

    drop(held);
    for call in [&mut middle, &mut higher, &mut older] {
        drop(served(call).unwrap());
    }
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_above_the_lowest_is_refused_itself() {
    let limiter = bounded("evicted-none", 1, 2).priority(3);
    let held = let_in(limiter.acquire());
    let mut waiting = [waiter(limiter.acquire()), waiter(limiter.acquire().priority(4))];
    for call in [limiter.acquire(), limiter.acquire().priority(0)] {
        assert_eq!(refused(call).kind(), RejectedKind::QueueFull);
    }
    // One that does not wait takes no place.
    let urgent = limiter.acquire().priority(9).max_wait(Duration::ZERO);
    assert_eq!(refused(urgent).kind(), RejectedKind::NoPermits);
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::NoPermits);
    waiting.iter_mut().for_each(assert_waits);
    drop((waiting, held));
    assert_all_free(&limiter);
}

/// The priority says who gives way, and the time of a wait says who is first.
#[tokio::test(start_paused = true)]
async fn a_low_call_that_has_waited_long_gives_way_all_the_same() {
    let limiter = bounded("evicted-aged", 1, 2);
    let held = let_in(limiter.acquire());
    let mut aged = waiter(limiter.acquire().priority(1));
    advance(10_000 * MS).await;
    let mut middle = waiter(limiter.acquire().priority(2));
    let mut higher = waiter(limiter.acquire().priority(3));
    assert_eq!(served(&mut aged).unwrap_err().kind(), RejectedKind::Evicted);
    drop(held);
    drop(served(&mut higher).unwrap());
    drop(served(&mut middle).unwrap());
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn calls_without_a_priority_give_way_to_the_first_that_has_one() {
    let limiter = bounded("evicted-plain", 1, 2);
    let held = let_in(limiter.acquire());
    let mut waiting = [waiter(limiter.acquire()), waiter(limiter.acquire())];
    let mut first = waiter(limiter.acquire().priority(1));
    assert_eq!(served(&mut waiting[1]).unwrap_err().kind(), RejectedKind::Evicted);
    assert_waits(&mut waiting[0]);
    drop(held);
    drop(served(&mut first).unwrap());
    drop(served(&mut waiting[0]).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn a_call_that_has_been_handed_its_permit_does_not_give_way() {
    let limiter = bounded("evicted-granted", 1, 1);
    let held = let_in(limiter.acquire());
    let mut low = waiter(limiter.acquire());
    drop(held);
    // It waits for a poll alone, and the queue is empty.
    let mut first = waiter(limiter.acquire().priority(1));
    let mut second = waiter(limiter.acquire().priority(2));
    assert_eq!(served(&mut first).unwrap_err().kind(), RejectedKind::Evicted);
    drop(served(&mut low).unwrap());
    drop(served(&mut second).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn a_heavy_call_at_the_head_gives_way_and_the_newcomer_takes_what_is_free() {
    let limiter = bounded("evicted-heavy", 3, 1);
    let held = let_in(limiter.acquire().weight(2));
    let mut heavy = waiter(limiter.acquire().weight(3));
    let mut light = waiter(limiter.acquire().priority(1));
    assert_eq!(served(&mut heavy).unwrap_err().kind(), RejectedKind::Evicted);
    drop(served(&mut light).unwrap());
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn each_key_has_its_own_queue_to_give_way_in() {
    let limiter = bounded("evicted-keys", 1, 1).keyed();
    let held = [let_in(limiter.key(1).acquire()), let_in(limiter.key(2).acquire())];
    let mut other = waiter(limiter.key(2).acquire());
    let mut low = waiter(limiter.key(1).acquire());
    let mut high = waiter(limiter.key(1).acquire().priority(1));
    assert_eq!(served(&mut low).unwrap_err().kind(), RejectedKind::Evicted);
    assert_waits(&mut other);
    drop(held);
    drop(served(&mut high).unwrap());
    drop(served(&mut other).unwrap());
    assert_eq!(limiter.snapshot().total.keys, 0);
}

#[test]
fn each_share_has_its_own_queue_to_give_way_in() {
    const SHARES: &[Share] = &[Share::new("live", 50), Share::new("batch", 50)];
    let limiter = bounded("evicted-shares", 1, 1).shares(SHARES);
    let held = let_in(limiter.share("live").acquire());
    let mut other = waiter(limiter.share("batch").acquire());
    let mut low = waiter(limiter.share("live").acquire());
    let mut high = waiter(limiter.share("live").acquire().priority(1));
    assert_eq!(served(&mut low).unwrap_err().kind(), RejectedKind::Evicted);
    assert_waits(&mut other);
    let shares = limiter.snapshot().shares;
    let rejected: Vec<_> = shares.iter().map(|share| share.rejected).collect();
    assert_eq!(rejected, [1, 0, 0]);
    drop(held);
    drop(served(&mut high).unwrap());
    drop(served(&mut other).unwrap());
    assert_all_free(&limiter);
}

/// A shadow has no queue. Of two calls of which one would give way, it counts one.
#[test]
fn a_shadow_counts_one_refusal_and_refuses_nobody() {
    let limiter = bounded("evicted-shadow", 1, 1).shadow();
    let held = [0, 0, 1].map(|priority| at_once(limiter.acquire().priority(priority)));
    let figures = total(&limiter);
    assert_eq!((figures.shadowed.waited, figures.shadowed.rejected.queue_full), (1, 1));
    assert_eq!((figures.rejected.total(), figures.shadowed.rejected.total()), (0, 1));
    drop(held);
}
