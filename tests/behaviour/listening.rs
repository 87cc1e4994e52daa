//! Events of limiters, as subscribers receive them.

use futures::executor::block_on;
use limit_runtime::EventKind::{
    Admitted, Cancelled, LimitChanged, Rejected as Refused, Released, Waiting,
};
use limit_runtime::{Event, EventKind, Limiter, Order, RejectedKind, Scope, find};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{at_once, let_in, permit, refused, served, waiter};
use limit_tests::runtimes::{join, one_thread, workers};
use std::collections::HashMap;
use std::sync::{Arc, Barrier};
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::yield_now;
use tokio::time::sleep;

/// Takes the events that have come: their kinds, permits in use and waiting calls.
pub(crate) fn heard(events: &mut Receiver<Event>) -> Vec<(EventKind, usize, usize)> {
    std::iter::from_fn(|| events.try_recv().ok())
        .map(|event| (event.kind, event.in_use, event.waiting))
        .collect()
}

#[test]
fn a_script_is_told_step_by_step_with_the_figures_after_each() {
    let limiter = Limiter::new("listening-script", 2).max_waiting(2);
    drop(let_in(limiter.acquire()));
    let mut events = limiter.subscribe();
    assert_eq!(heard(&mut events), [], "what was before is not told");

    let first = let_in(limiter.acquire());
    assert_eq!(heard(&mut events), [(Admitted, 1, 0)]);
    let second = limiter.try_acquire().unwrap();
    assert_eq!(heard(&mut events), [(Admitted, 2, 0)]);
    limiter.try_acquire().unwrap_err();
    assert_eq!(heard(&mut events), [(Refused(RejectedKind::NoPermits), 2, 0)]);
    refused(limiter.acquire().weight(3));
    assert_eq!(heard(&mut events), [(Refused(RejectedKind::TooHeavy), 2, 0)]);
    let mut third = waiter(limiter.acquire());
    let fourth = waiter(limiter.acquire());
    assert_eq!(heard(&mut events), [(Waiting, 2, 1), (Waiting, 2, 2)]);
    refused(limiter.acquire());
    assert_eq!(heard(&mut events), [(Refused(RejectedKind::QueueFull), 2, 2)]);
    drop(first);
    assert_eq!(heard(&mut events), [(Released, 1, 2), (Admitted, 2, 1)]);
    let third = served(&mut third).unwrap();
    assert_eq!(heard(&mut events), [], "it was told when it was handed its permit");
    drop(fourth);
    assert_eq!(heard(&mut events), [(Cancelled, 2, 0)]);

    limiter.set_limit(1);
    let changed = events.try_recv().unwrap();
    assert_eq!((changed.kind, changed.limit, changed.in_use), (LimitChanged, 1, 2));
    let mut fifth = waiter(limiter.acquire());
    drop(second);
    assert_eq!(heard(&mut events), [(Waiting, 2, 1), (Released, 1, 1)], "debt is paid first");
    limiter.close();
    assert_eq!(heard(&mut events), [(Refused(RejectedKind::Closed), 1, 0)]);
    served(&mut fifth).unwrap_err();
    refused(limiter.acquire());
    assert_eq!(heard(&mut events), [(Refused(RejectedKind::Closed), 1, 0)]);
    limiter.reopen();
    assert_eq!(heard(&mut events), []);
    drop(third);
    assert_eq!(heard(&mut events), [(Released, 0, 0)]);
    assert_all_free(&limiter);
}

#[test]
fn a_permit_handed_to_who_has_gone_is_told_as_cancelled_and_goes_to_the_next() {
    let limiter = Limiter::new("listening-granted", 1);
    let mut events = limiter.subscribe();
    let held = permit(&limiter);
    let granted = waiter(limiter.acquire());
    let mut next = waiter(limiter.acquire());
    heard(&mut events);
    drop(held);
    assert_eq!(heard(&mut events), [(Released, 0, 2), (Admitted, 1, 1)]);
    drop(granted);
    assert_eq!(heard(&mut events), [(Cancelled, 0, 1), (Admitted, 1, 0)]);
    drop(served(&mut next));
    assert_eq!(heard(&mut events), [(Released, 0, 0)]);
}

#[test]
fn an_eviction_is_told_before_who_took_the_place() {
    let limiter = Limiter::new("listening-lifo", 1).order(Order::Lifo).max_waiting(1);
    let mut events = limiter.subscribe();
    let held = let_in(limiter.acquire());
    let oldest = waiter(limiter.acquire());
    heard(&mut events);
    let newest = waiter(limiter.acquire());
    assert_eq!(heard(&mut events), [(Refused(RejectedKind::Evicted), 1, 0), (Waiting, 1, 1)]);
    drop(oldest);
    assert_eq!(heard(&mut events), [], "it was told as refused already");
    drop((held, newest));
}

/// The figures of a change of the limit are the figures just after it, as with all other kinds.
#[tokio::test(start_paused = true)]
async fn a_call_that_timed_out_is_told_when_it_waits_no_longer() {
    let limiter = Limiter::new("listening-timed-out", 1).max_wait(Duration::from_secs(1));
    let mut events = limiter.subscribe();
    let held = let_in(limiter.acquire());
    limiter.acquire().await.unwrap_err();
    let expected = [(Admitted, 1, 0), (Waiting, 1, 1), (Refused(RejectedKind::TimedOut), 1, 0)];
    assert_eq!(heard(&mut events), expected);
    drop(held);
}

#[test]
fn with_keys_the_limit_is_that_of_each_and_the_rest_is_over_all() {
    let limiter = Limiter::new("listening-keys", 1).keyed().total(2);
    let mut events = limiter.subscribe();
    let held = [at_once(limiter.key("a").acquire()), at_once(limiter.key("b").acquire())];
    let mut waiting = waiter(limiter.key("a").acquire());
    let told = [(Admitted, 1, 0), (Admitted, 2, 0), (Waiting, 2, 1)];
    assert_eq!(heard(&mut events), told);
    let [first, second] = held;
    drop(second);
    assert_eq!(heard(&mut events), [(Released, 1, 1)]);
    limiter.set_limit(2);
    let changed = events.try_recv().unwrap();
    assert_eq!((changed.kind, changed.limit, changed.in_use), (LimitChanged, 2, 1));
    assert_eq!(heard(&mut events), [(Admitted, 2, 0)]);
    limiter.set_total(5);
    assert_eq!(events.try_recv().unwrap().kind, LimitChanged);
    drop((first, served(&mut waiting)));
    assert_eq!(heard(&mut events), [(Released, 1, 0), (Released, 0, 0)]);
}

#[test]
fn a_shadow_and_calls_that_are_not_enabled_are_told_as_admitted() {
    let limiter = Limiter::new("listening-shadow", 1).max_waiting(1).shadow();
    let mut events = limiter.subscribe();
    let all: Vec<_> = (0..3).map(|_| at_once(limiter.acquire())).collect();
    assert_eq!(heard(&mut events), [(Admitted, 1, 0), (Admitted, 2, 0), (Admitted, 2, 0)]);
    drop(all);
    assert_eq!(heard(&mut events).len(), 3);
    let off = at_once(limiter.acquire().enabled(false));
    assert_eq!(heard(&mut events), [(Admitted, 0, 0)]);
    drop(off);
}

#[test]
fn who_listens_before_the_first_use_hears_the_first() {
    let limiter = Limiter::new("listening-before", 1);
    let mut events =
        find("listening-before").map_or_else(|| limiter.subscribe(), |l| l.subscribe());
    drop(permit(&limiter));
    assert_eq!(heard(&mut events), [(Admitted, 1, 0), (Released, 0, 0)]);
    let mut second = find("listening-before").expect("it is in use").subscribe();
    drop(permit(&limiter));
    let expected = [(Admitted, 1, 0), (Released, 0, 0)];
    assert_eq!(heard(&mut events), expected);
    assert_eq!(heard(&mut second), expected, "each hears all from when it began to listen");
}

#[test]
fn all_runtimes_are_heard_those_alive_and_those_to_come() {
    static LIMITER: Limiter = Limiter::new("listening-runtimes", 1);

    let first = one_thread();
    let held = first.block_on(async { permit(&LIMITER) });
    let mut events = LIMITER.subscribe();
    let second = one_thread();
    let other = second.block_on(async { permit(&LIMITER) });
    assert_eq!(heard(&mut events), [(Admitted, 1, 0)], "of each runtime the figures are its own");
    drop(held);
    assert_eq!(heard(&mut events), [(Released, 0, 0)]);
    drop(first);
    one_thread().block_on(async { drop(permit(&LIMITER)) });
    assert_eq!(heard(&mut events), [(Admitted, 1, 0), (Released, 0, 0)]);
    drop(second);
    drop(other);
    assert_eq!(heard(&mut events), [(Released, 0, 0)]);
}

#[test]
fn who_is_slow_misses_the_oldest_and_is_told_how_many() {
    let limiter = Limiter::new("listening-slow", 1);
    let mut slow = limiter.subscribe();
    for _ in 0..2_000 {
        drop(permit(&limiter));
    }
    let missed = match slow.try_recv() {
        Err(TryRecvError::Lagged(missed)) => missed,
        other => panic!("it has missed some, but {other:?}"),
    };
    let kept = heard(&mut slow);
    assert_eq!(missed + kept.len() as u64, 4_000);
    assert_eq!(kept.last(), Some(&(Released, 0, 0)), "the newest are kept");
    assert!(kept.len() >= 1_000);
    drop(permit(&limiter));
    assert_eq!(heard(&mut slow).len(), 2);
}

#[test]
fn when_nobody_listens_any_more_all_is_as_it_was() {
    let limiter = Limiter::new("listening-no-more", 2);
    for _ in 0..3 {
        let mut events = limiter.subscribe();
        let held = permit(&limiter);
        assert_eq!(heard(&mut events), [(Admitted, 1, 0)]);
        drop(events);
        drop(held);
        assert_all_free(&limiter);
    }
    assert_eq!(total(&limiter).admitted_at_once, 3 + 3 * 2);
}

#[test]
fn the_listener_of_a_limiter_that_is_dropped_is_told_so() {
    let limiter = Limiter::new("listening-gone", 1);
    let mut events = limiter.subscribe();
    drop(permit(&limiter));
    drop(limiter);
    assert_eq!(heard(&mut events).len(), 2);
    assert_eq!(events.try_recv(), Err(TryRecvError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_listener_can_wait_for_an_event() {
    let limiter = Arc::new(Limiter::new("listening-waits", 1));
    let mut events = limiter.subscribe();
    tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move {
            sleep(Duration::from_secs(5)).await;
            drop(limiter.acquire().await);
        }
    });
    let Event { kind, limit, in_use, waiting, .. } = events.recv().await.unwrap();
    assert_eq!((kind, limit, in_use, waiting), (Admitted, 1, 1, 0));
    assert_eq!(events.recv().await.unwrap().kind, Released);
    drop(limiter);
    assert_eq!(events.recv().await, Err(RecvError::Closed));
}

#[test]
fn in_a_storm_what_is_told_agrees_with_what_is_counted() {
    let limiter = Arc::new(Limiter::new("listening-storm", 3).max_waiting(5));
    workers(4).block_on(async {
        let mut events = limiter.subscribe();
        // All calls that come while the limit is being resolved wait, even more than may wait
        // later.
        drop(let_in(limiter.acquire()));
        let mut told = HashMap::new();
        for _ in 0..10 {
            let call = |limiter: Arc<Limiter<limit_runtime::Rejected>>| async move {
                if let Ok(_permit) = limiter.acquire().await {
                    yield_now().await;
                }
            };
            join((0..100).map(|_| tokio::spawn(call(Arc::clone(&limiter)))).collect()).await;
            // All events are there: fewer than the channel keeps, and their senders have ended.
            while let Ok(event) = events.try_recv() {
                assert!(event.in_use <= 3, "{event:?}");
                *told.entry(event.kind).or_insert(0_u64) += 1;
            }
        }
        let figures = total(&limiter);
        let of = |kind| told.get(&kind).copied().unwrap_or(0);
        assert_eq!(of(Admitted), figures.admitted_at_once + figures.admitted_after_waiting);
        assert_eq!(of(Waiting), figures.admitted_after_waiting);
        assert_eq!(of(Released), of(Admitted));
        assert_eq!(of(Refused(RejectedKind::QueueFull)), figures.rejected.queue_full);
        assert_eq!(of(Released) + figures.rejected.queue_full, 1 + 10 * 100);
        assert_all_free(&limiter);
    });
}

#[test]
fn who_waits_for_the_limit_is_not_told_of_as_one_that_waits_for_a_permit() {
    static FINDING_OUT: Barrier = Barrier::new(2);
    static WAITS: Barrier = Barrier::new(2);
    static LIMITER: Limiter = Limiter::lazy("listening-finding-out", || {
        FINDING_OUT.wait();
        WAITS.wait();
        1
    })
    .scope(Scope::Process);

    let mut events = LIMITER.subscribe();
    let first = std::thread::spawn(|| drop(block_on(LIMITER.acquire())));
    FINDING_OUT.wait();
    let second = waiter(LIMITER.acquire());
    WAITS.wait();
    drop(block_on(second));
    first.join().expect("no panic");
    let told = heard(&mut events);
    let of = |kind| told.iter().filter(|(told, ..)| *told == kind).count();
    let waited = total(&LIMITER).admitted_after_waiting;
    // The call may have waited, until the limit was known.
    assert_eq!(of(Waiting) as u64, waited, "{told:?}");
    assert_eq!((of(Admitted), of(Released), told.len()), (2, 2, 4 + of(Waiting)));
}
