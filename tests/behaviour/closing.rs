//! Closing a limiter and opening it again.

use limit_runtime::{Limiter, Rejected, RejectedKind, Scope, find};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, at_once, let_in, permit, ready, refused, served, waiter};
use limit_tests::runtimes::{join, one_thread, workers};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn closing_refuses_those_who_wait_and_those_who_come_and_interrupts_nobody() {
    let limiter = Limiter::new("closing-refuses", 2).max_waiting(10);
    assert!(!limiter.is_closed());
    let held = [let_in(limiter.acquire()), let_in(limiter.acquire())];
    let mut waiting: Vec<_> = (0..5).map(|number| (number, waiter(limiter.acquire()))).collect();
    advance(Duration::from_millis(30)).await;
    limiter.close();
    assert!(limiter.is_closed());
    assert_figures(&limiter, 2, 0);
    let told = ready(&mut waiting);
    assert_eq!(told.len(), 5);
    for (number, result) in told {
        let rejected = result.unwrap_err();
        assert_eq!(rejected.kind(), RejectedKind::Closed);
        assert_eq!(rejected.waited(), Duration::from_millis(30));
        assert_eq!((rejected.limit(), rejected.in_use()), (2, 2));
        assert_eq!(rejected.waiting(), 4 - number, "those who were refused after it");
        assert_eq!(rejected.retry_after(), None);
    }
    for call in [limiter.acquire(), limiter.acquire().weight(2), limiter.acquire().priority(9)] {
        let rejected = refused(call);
        assert_eq!(rejected.kind(), RejectedKind::Closed);
        assert_eq!((rejected.waited(), rejected.limiter()), (Duration::ZERO, "closing-refuses"));
        assert_eq!(
            rejected.to_string(),
            "concurrency limit `closing-refuses` is closed: 2 of 2 permits in use, 0 waiting",
        );
    }
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::Closed);
    drop(held);
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::Closed, "also if one is free");
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::Closed);
    let figures = total(&limiter);
    assert_eq!((figures.rejected.closed, figures.rejected.total()), (11, 11));
    assert_eq!((figures.cancelled, figures.wait.count), (0, 0));
    limiter.reopen();
    assert!(!limiter.is_closed());
    assert_all_free(&limiter);
}

#[test]
fn a_handle_does_not_close_a_limiter_whose_calls_cannot_be_refused() {
    let limiter = Limiter::new("closing-infallible", 1);
    let held = permit(&limiter);
    let mut infallible = waiter(limiter.acquire());
    let mut fallible = waiter(limiter.acquire().weight(1));
    let handle = find("closing-infallible").expect("it is in use");
    let before = handle.snapshot();
    for _ in 0..2 {
        let unsupported = handle.close().expect_err("its calls cannot be told");
        let about = (unsupported.limiter(), unsupported.setting());
        assert_eq!(about, ("closing-infallible", "closed"));
        let says = unsupported.to_string();
        let expected = "concurrency limit `closing-infallible` cannot be closed: its calls cannot \
                        be told that they are refused";
        assert!(says.starts_with(expected), "{says}");
        assert!(!handle.is_closed());
        assert_eq!(handle.snapshot(), before);
        handle.reopen();
    }
    assert_waits(&mut infallible);
    assert_waits(&mut fallible);
    assert_eq!(limiter.try_acquire().unwrap_err().kind(), RejectedKind::NoPermits);
    drop(held);
    drop(served(&mut infallible));
    drop(served(&mut fallible).expect("it is not closed"));
    drop(limiter.try_acquire().expect("it is not closed"));
    assert_eq!(total(&limiter).rejected.closed, 0);
    assert_all_free(&limiter);
}

#[test]
fn a_handle_closes_a_shadow_that_counts_refusals_and_nobody_is_refused() {
    let plain = Limiter::new("closing-shadow-plain", 1).shadow();
    let counts = Limiter::new("closing-shadow-counts", 1).shadow().max_waiting(0);
    let permits = (permit(&plain), let_in(counts.acquire()));
    let handle = |name| find(name).expect("it is in use");
    assert!(handle("closing-shadow-plain").close().is_err(), "its type cannot be told");
    handle("closing-shadow-counts").close().expect("its type can be told");
    assert!(counts.is_closed());
    drop(let_in(counts.acquire()));
    assert_eq!(total(&counts).rejected.total(), 0);
    drop(permits);
}

#[test]
fn heavy_and_light_calls_that_wait_are_refused_alike() {
    let limiter = Limiter::new("closing-head", 2).max_waiting(5);
    let held = let_in(limiter.acquire());
    let mut heavy = waiter(limiter.acquire().weight(2));
    let mut light = waiter(limiter.acquire());
    limiter.close();
    for call in [&mut heavy, &mut light] {
        assert_eq!(served(call).unwrap_err().kind(), RejectedKind::Closed);
    }
    drop(held);
    limiter.reopen();
    assert_all_free(&limiter);
}

#[test]
fn who_was_handed_a_permit_before_it_was_closed_has_it() {
    let limiter = Limiter::new("closing-granted", 1).max_waiting(1);
    let held = let_in(limiter.acquire());
    let mut granted = waiter(limiter.acquire());
    drop(held);
    limiter.close();
    drop(served(&mut granted).expect("it was handed the permit before"));
    limiter.reopen();
    assert_all_free(&limiter);
}

#[test]
fn who_was_refused_before_it_was_opened_again_stays_refused() {
    let limiter = Limiter::new("closing-reopened", 1).max_waiting(3);
    let held = let_in(limiter.acquire());
    let mut told = waiter(limiter.acquire());
    let untold = waiter(limiter.acquire());
    limiter.close();
    limiter.reopen();
    let mut next = waiter(limiter.acquire());
    assert_eq!(served(&mut told).unwrap_err().kind(), RejectedKind::Closed);
    assert!(untold.is_woken());
    drop(untold);
    assert_eq!((total(&limiter).rejected.closed, total(&limiter).cancelled), (2, 0));
    drop(held);
    drop(served(&mut next).unwrap());
    assert_all_free(&limiter);
}

#[test]
fn it_can_be_closed_and_opened_any_number_of_times() {
    let limiter = Limiter::new("closing-often", 2).max_waiting(5);
    for _ in 0..5 {
        limiter.close();
        limiter.close();
        assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::Closed);
        limiter.reopen();
        limiter.reopen();
        assert_all_free(&limiter);
    }
    assert_eq!(total(&limiter).rejected.closed, 5);
}

#[test]
fn a_limiter_closed_before_its_first_use_is_closed() {
    let limiter = Limiter::new("closing-before", 1).max_waiting(5);
    limiter.close();
    assert!(limiter.is_closed());
    assert_eq!(refused(limiter.acquire()).kind(), RejectedKind::Closed);
    limiter.reopen();
    assert_all_free(&limiter);

    let opened = Limiter::new("closing-before-opened", 1).max_waiting(5);
    opened.close();
    opened.reopen();
    assert_all_free(&opened);

    let nothing = Limiter::new("closing-before-nothing", 1).max_waiting(1);
    nothing.close();
    for _ in 0..2 {
        let rejected = refused(nothing.acquire().weight(0));
        assert_eq!(rejected.kind(), RejectedKind::Closed, "although it takes no permits");
    }
}

#[test]
fn closed_holds_in_all_runtimes_those_alive_and_those_to_come() {
    static LIMITER: Limiter<Rejected> = Limiter::new("closing-runtimes", 1).max_waiting(5);

    let (first, second) = (one_thread(), one_thread());
    let calls = [&first, &second].map(|runtime| {
        runtime.block_on(async { (let_in(LIMITER.acquire()), waiter(LIMITER.acquire())) })
    });
    LIMITER.close();
    let kind = |runtime: &tokio::runtime::Runtime| {
        runtime.block_on(async { refused(LIMITER.acquire()).kind() })
    };
    for (_, mut waiting) in calls {
        assert_eq!(served(&mut waiting).unwrap_err().kind(), RejectedKind::Closed);
    }
    let third = one_thread();
    for runtime in [&first, &second, &third] {
        assert_eq!(kind(runtime), RejectedKind::Closed);
    }
    drop(first);
    assert_eq!(kind(&one_thread()), RejectedKind::Closed, "in one that takes its place");
    find("closing-runtimes").expect("it is in use").reopen();
    assert!(!LIMITER.is_closed());
    for runtime in [&second, &third, &one_thread()] {
        runtime.block_on(async { drop(let_in(LIMITER.acquire())) });
    }
    assert_figures(&LIMITER, 0, 0);
}

#[test]
fn a_runtime_that_ends_while_it_is_closed_leaves_it_closed() {
    static LIMITER: Limiter<Rejected> =
        Limiter::new("closing-ended", 1).max_waiting(5).scope(Scope::Runtime);

    let runtime = one_thread();
    let held = runtime.block_on(async { let_in(LIMITER.acquire()) });
    find("closing-ended").expect("it is in use").close().expect("its calls can be refused");
    assert!(find("closing-ended").is_some_and(|limiter| limiter.is_closed()));
    drop(runtime);
    drop(held);
    one_thread().block_on(async {
        assert_eq!(refused(LIMITER.acquire()).kind(), RejectedKind::Closed);
        LIMITER.reopen();
        assert_all_free(&LIMITER);
    });
}

#[test]
fn in_a_storm_of_closing_and_opening_each_call_is_let_in_or_refused_and_none_is_lost() {
    static INSIDE: Inside = Inside::new();

    let limiter = Arc::new(Limiter::new("closing-storm", 3).max_waiting(1000));
    let done = Arc::new(AtomicBool::new(false));
    workers(4).block_on(async {
        let closer = tokio::spawn({
            let (limiter, done) = (Arc::clone(&limiter), Arc::clone(&done));
            async move {
                while !done.load(Ordering::Relaxed) {
                    limiter.close();
                    yield_now().await;
                    limiter.reopen();
                    yield_now().await;
                }
            }
        });
        let call = |limiter: Arc<Limiter<Rejected>>| async move {
            match limiter.acquire().await {
                Ok(_permit) => {
                    let _inside = INSIDE.enter();
                    yield_now().await;
                    true
                }
                Err(rejected) => {
                    assert_eq!(rejected.kind(), RejectedKind::Closed);
                    false
                }
            }
        };
        let mut admitted = 0;
        for _ in 0..20 {
            let calls = (0..500).map(|_| tokio::spawn(call(Arc::clone(&limiter)))).collect();
            admitted += join(calls).await.into_iter().filter(|admitted| *admitted).count() as u64;
        }
        done.store(true, Ordering::Relaxed);
        closer.await.unwrap();
        let figures = total(&limiter);
        assert_eq!(figures.admitted_at_once + figures.admitted_after_waiting, admitted);
        assert_eq!(figures.rejected.closed, 10_000 - admitted);
        assert_eq!((INSIDE.now(), figures.cancelled), (0, 0));
        assert!(INSIDE.most() <= 3);
        assert_all_free(&limiter);
    });
    drop(at_once(limiter.acquire()));
}
