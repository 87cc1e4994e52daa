//! Limiters that admit every call and count the calls that they would have delayed or refused.

use limit_runtime::{Limiter, Order, Permit, RejectedKind, ShadowedCounts};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{at_once, let_in, refused};
use limit_tests::runtimes::{join, workers};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::advance;

fn shadowed(waited: u64, queue_full: u64) -> ShadowedCounts {
    let mut counts = ShadowedCounts::default();
    counts.waited = waited;
    counts.rejected.queue_full = queue_full;
    counts
}

#[test]
fn everybody_is_let_in_at_once_and_counted_by_what_would_have_happened() {
    let limiter = Limiter::new("shadow-counts", 2).max_waiting(3).shadow();
    let mut all = Vec::new();
    // Two calls are admitted, three would wait, and the others would be refused.
    for call in 1..=10_u64 {
        all.push(at_once(limiter.acquire()));
        let figures = total(&limiter);
        assert_eq!(figures.admitted_at_once, call);
        assert_eq!(figures.shadowed, shadowed(call.clamp(2, 5) - 2, call.max(5) - 5));
        assert_eq!((figures.in_use as u64, figures.waiting), (call.min(5), 0));
        assert_eq!((figures.rejected.total(), figures.admitted_after_waiting), (0, 0));
    }
    drop(all);
    assert_figures(&limiter, 0, 0);
    let both = (at_once(limiter.acquire()), at_once(limiter.acquire()));
    assert_eq!(total(&limiter).shadowed, shadowed(3, 5), "two of two are within the limit");
    drop(both);
}

#[test]
fn without_a_bound_nobody_would_be_refused() {
    let limiter = Limiter::new("shadow-no-bound", 1).shadow();
    let all: Vec<_> = (0..100).map(|_| at_once(limiter.acquire())).collect();
    assert_eq!(total(&limiter).shadowed, shadowed(99, 0));
    assert_figures(&limiter, 100, 0);
    drop(all);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_call_that_would_have_been_let_in_by_now_would_not_wait_any_more() {
    #[track_caller]
    fn check(call: impl Fn() -> Permit, counts: impl Fn() -> ShadowedCounts) {
        let (first, second) = (call(), call());
        assert_eq!(counts(), shadowed(1, 0), "the second would wait");
        drop(first);
        let third = call();
        assert_eq!(counts(), shadowed(2, 0), "it would have the second's place in the queue");
        let fourth = call();
        assert_eq!(counts(), shadowed(2, 1), "there would be no place for it");
        drop((second, third, fourth));
    }

    let plain = Limiter::new("shadow-settled", 1).max_waiting(1).shadow();
    let keyed = Limiter::new("shadow-settled-keyed", 1).max_waiting(1).keyed().shadow();
    check(|| at_once(plain.acquire()), || total(&plain).shadowed);
    check(|| at_once(keyed.key(1).acquire()), || total(&keyed).shadowed);
}

#[test]
fn without_a_queue_everybody_over_the_limit_would_be_refused() {
    let limiter = Limiter::new("shadow-no-queue", 1).max_waiting(0).shadow();
    let all: Vec<_> = (0..10).map(|_| at_once(limiter.acquire())).collect();
    assert_eq!(total(&limiter).shadowed, shadowed(0, 9));
    assert_figures(&limiter, 1, 0);
    drop(all);
}

#[test]
fn who_tries_is_let_in_and_would_have_been_refused() {
    let limiter = Limiter::new("shadow-try", 1).shadow();
    let both = (limiter.try_acquire().unwrap(), limiter.try_acquire().unwrap());
    let mut expected = ShadowedCounts::default();
    expected.rejected.no_permits = 1;
    assert_eq!(total(&limiter).shadowed, expected);
    assert_eq!(total(&limiter).admitted_at_once, 2);
    drop(both);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn who_is_too_heavy_is_let_in_and_takes_nothing() {
    let limiter = Limiter::new("shadow-too-heavy", 2).shadow();
    let heavy = at_once(limiter.acquire().weight(3)).expect("a shadow refuses nobody");
    let figures_now = total(&limiter);
    assert_eq!((figures_now.in_use, figures_now.shadowed.rejected.too_heavy), (0, 1));
    assert_eq!(figures_now.rejected.total(), 0);
    let two = at_once(limiter.acquire().weight(2)).unwrap();
    let over = at_once(limiter.acquire().weight(2)).unwrap();
    assert_figures(&limiter, 4, 0);
    assert_eq!(total(&limiter).shadowed.waited, 1);
    drop((heavy, two, over));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_closed_shadow_lets_in_all_the_same() {
    // The order of the setters is such that its calls can be refused: only these can be closed.
    let limiter = Limiter::new("shadow-closed", 1).shadow().max_waiting(1);
    limiter.close();
    let all =
        (let_in(limiter.acquire()), let_in(limiter.acquire()), limiter.try_acquire().unwrap());
    let closed = total(&limiter);
    assert_eq!((closed.in_use, closed.rejected.total()), (2, 0));
    let mut expected = shadowed(1, 0);
    expected.rejected.no_permits = 1;
    assert_eq!(closed.shadowed, expected, "as though it were open");
    drop(all);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn options_set_after_shadow_refuse_nobody_either() {
    let limiter = Limiter::new("shadow-after", 1).shadow().max_waiting(1).max_wait(Duration::ZERO);
    let all: Vec<_> = (0..5).map(|_| at_once(limiter.acquire()).unwrap()).collect();
    assert_eq!(total(&limiter).rejected.total(), 0);
    assert_eq!(total(&limiter).admitted_at_once, 5);
    drop(all);
    let lifo = Limiter::new("shadow-lifo", 1).order(Order::Lifo).max_waiting(1).shadow();
    let all: Vec<_> = (0..5).map(|_| at_once(lifo.acquire())).collect();
    assert_eq!(total(&lifo).rejected.total(), 0);
    assert_eq!(total(&lifo).admitted_at_once, 5);
    drop(all);
}

#[test]
fn each_key_would_have_waited_for_its_own_limit() {
    let limiter = Limiter::new("shadow-keys", 1).max_waiting(1).keyed().shadow();
    let mut all = Vec::new();
    for key in 0..3_u64 {
        for _ in 0..4 {
            all.push(at_once(limiter.key(key).acquire()));
        }
        assert_eq!(total(&limiter).shadowed, shadowed(key + 1, 2 * (key + 1)));
        assert_eq!(total(&limiter).keys as u64, key + 1);
    }
    assert_figures(&limiter, 6, 0);
    drop(all);
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn starts_that_would_have_waited_for_a_window_are_counted() {
    let limiter = Limiter::new("shadow-rate", 2).per(Duration::from_secs(60)).shadow();
    for _ in 0..5 {
        drop(at_once(limiter.acquire()));
    }
    assert_eq!(total(&limiter).shadowed, shadowed(3, 0));
    advance(Duration::from_secs(60)).await;
    drop((at_once(limiter.acquire()), at_once(limiter.acquire())));
    assert_eq!(total(&limiter).shadowed, shadowed(3, 0));
    drop(at_once(limiter.acquire()));
    assert_eq!(total(&limiter).shadowed, shadowed(4, 0));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_changed_limit_changes_what_would_have_happened() {
    let limiter = Limiter::new("shadow-changed", 3).shadow();
    let all: Vec<_> = (0..3).map(|_| at_once(limiter.acquire())).collect();
    limiter.set_limit(1);
    drop(at_once(limiter.acquire()));
    assert_eq!(total(&limiter).shadowed, shadowed(1, 0));
    drop(all);
    drop(at_once(limiter.acquire()));
    assert_eq!(total(&limiter).shadowed, shadowed(1, 0));
    limiter.set_limit(0);
    drop(at_once(limiter.acquire()));
    assert_eq!(total(&limiter).shadowed, shadowed(2, 0));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_call_that_is_not_enabled_would_not_have_waited() {
    let limiter = Limiter::new("shadow-enabled", 1).shadow();
    let all: Vec<_> = (0..5).map(|_| at_once(limiter.acquire().enabled(false))).collect();
    assert_eq!(total(&limiter).shadowed, shadowed(0, 0));
    assert_eq!(total(&limiter).admitted_at_once, 5);
    drop(all);
}

#[test]
fn in_a_storm_nobody_waits_and_every_permit_comes_back() {
    static INSIDE: Inside = Inside::new();

    let limiter = Arc::new(Limiter::new("shadow-storm", 3).max_waiting(5).shadow());
    workers(4).block_on(async {
        // A call that comes while the limit is being resolved does not count as one that would have
        // waited.
        drop(at_once(limiter.acquire()));
        let call = |limiter: Arc<Limiter>| async move {
            let _permit = limiter.acquire().await;
            let _inside = INSIDE.enter();
            yield_now().await;
            // The calls may come slowly: none leaves before one too many is inside.
            while INSIDE.most() < 4 {
                yield_now().await;
            }
        };
        join((0..10_000).map(|_| tokio::spawn(call(Arc::clone(&limiter)))).collect()).await;
    });
    let figures = total(&limiter);
    assert_eq!((figures.admitted_at_once, figures.admitted_after_waiting), (10_001, 0));
    assert_eq!((figures.in_use, figures.waiting), (0, 0));
    assert!(figures.shadowed.waited > 0, "{figures:?}");
}

#[test]
fn the_same_limiter_without_shadow_does_what_was_counted() {
    let limiter = Limiter::new("shadow-none", 2).max_waiting(0);
    let held = (at_once(limiter.acquire()).unwrap(), at_once(limiter.acquire()).unwrap());
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::QueueFull);
    assert_eq!(total(&limiter).shadowed, ShadowedCounts::default());
    drop(held);
    assert_all_free(&limiter);
}
