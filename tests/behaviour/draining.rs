//! Drains: waiting until a limiter is not in use.

use limit_runtime::{
    Acquire, KeyedLimiter, Limiter, LimiterHandle, Rejected, RejectedKind, Scope, find,
};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, at_once, let_in, permit, refused, served, waiter};
use limit_tests::runtimes::{one_thread, workers};
use limit_tests::watchdog::PATIENCE;
use std::future::Future;
use std::hint;
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep, timeout};
use tokio_test::task::{self, Spawn};

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_limiter_that_is_not_in_use_is_drained_at_once() {
    let limiter = Limiter::new("draining-unused", 2);
    assert_eq!(at_once(limiter.drain()), 0);
    drop(permit(&limiter));
    assert_eq!(at_once(limiter.drain()), 0);
    assert_all_free(&limiter);
}

#[test]
fn it_waits_for_the_last_permit_and_says_how_many_there_were() {
    let limiter = Limiter::new("draining-last", 3);
    let held = [permit(&limiter), permit(&limiter), permit(&limiter)];
    let mut drain = waiter(limiter.drain());
    for permit in held {
        assert_waits(&mut drain);
        drop(permit);
    }
    assert_eq!(served(&mut drain), 3);
    assert_all_free(&limiter);
}

#[test]
fn it_waits_for_those_who_wait_too() {
    let limiter = Limiter::new("draining-waiters", 1);
    let held = permit(&limiter);
    let mut first = waiter(limiter.acquire());
    let second = waiter(limiter.acquire());
    let mut drain = waiter(limiter.drain());
    drop(held);
    assert_waits(&mut drain);
    let held = served(&mut first);
    assert_waits(&mut drain);
    drop(second);
    assert_waits(&mut drain);
    drop(held);
    assert_eq!(served(&mut drain), 3, "one held and two waited");

    limiter.set_limit(0);
    let paused = waiter(limiter.acquire());
    let mut drain = waiter(limiter.drain());
    assert_waits(&mut drain);
    drop(paused);
    assert_eq!(served(&mut drain), 1);
    limiter.set_limit(1);
    assert_all_free(&limiter);
}

#[test]
fn a_waiter_that_is_handed_its_permit_and_dropped_is_the_last() {
    let limiter = Limiter::new("draining-granted", 1);
    let held = permit(&limiter);
    let granted = waiter(limiter.acquire());
    let mut drain = waiter(limiter.drain());
    drop(held);
    assert!(granted.is_woken());
    assert_waits(&mut drain);
    drop(granted);
    assert_eq!(served(&mut drain), 2);
    assert_all_free(&limiter);
}

#[test]
fn it_keeps_nobody_out_and_counts_when_it_is_first_polled() {
    let limiter = Limiter::new("draining-open", 2);
    let drain = limiter.drain();
    let held = permit(&limiter);
    let mut drain = waiter(drain);
    let late = permit(&limiter);
    drop(held);
    assert_waits(&mut drain);
    drop(late);
    assert_eq!(served(&mut drain), 1, "one, when it began");
    assert_all_free(&limiter);
}

#[test]
fn permits_are_counted_and_not_calls() {
    let limiter = Limiter::new("draining-weights", 5);
    let held = let_in(limiter.acquire().weight(4));
    let none = let_in(limiter.acquire().weight(0));
    let mut drain = waiter(limiter.drain());
    drop(held);
    assert_eq!(served(&mut drain), 4, "and nobody waits for one that takes none");
    drop(none);
    assert_all_free(&limiter);
}

#[test]
fn a_drain_that_is_dropped_changes_nothing() {
    let limiter = Limiter::new("draining-dropped", 1);
    let held = permit(&limiter);
    drop(waiter(limiter.drain()));
    drop(limiter.drain());
    let mut other = waiter(limiter.drain());
    let mut next = waiter(limiter.acquire());
    drop(held);
    drop(served(&mut next));
    assert_eq!(served(&mut other), 1);
    assert_all_free(&limiter);
}

#[test]
fn a_drain_that_is_dropped_does_not_keep_its_waker() {
    struct Task;
    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            panic!("it is woken for a drain that is gone");
        }
    }

    let limiter = Limiter::new("draining-waker", 1);
    let held = permit(&limiter);
    let task = Arc::new(Task);
    let waker = Waker::from(Arc::clone(&task));
    let mut drains = [Box::pin(limiter.drain()), Box::pin(limiter.drain())];
    for drain in &mut drains {
        for _ in 0..2 {
            assert!(drain.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }
    assert_eq!(Arc::strong_count(&task), 4, "one for each");
    drop(drains);
    assert_eq!(Arc::strong_count(&task), 2);
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn several_can_wait_for_it_and_each_may_be_polled_by_several_tasks() {
    let limiter = Limiter::new("draining-several", 1);
    let held = permit(&limiter);
    let mut drains: Vec<_> = (0..100).map(|_| waiter(limiter.drain())).collect();
    let mut moved = Box::pin(limiter.drain());
    assert!(task::spawn(moved.as_mut()).poll().is_pending());
    let mut moved = waiter(moved);
    drop(held);
    for drain in &mut drains {
        assert_eq!(served(drain), 1);
    }
    assert_eq!(served(&mut moved), 1);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn within_a_time_it_is_drained_or_says_what_is_left() {
    let limiter = Arc::new(Limiter::new("draining-within", 2));
    for stay in [20 * MS, 50 * MS] {
        tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move {
                let _permit = limiter.acquire().await;
                sleep(stay).await;
            }
        });
    }
    sleep(MS).await;
    let waiting = waiter(limiter.acquire().max_wait(Duration::MAX));
    let begin = Instant::now();
    let undrained = limiter.drain_within(10 * MS).await.unwrap_err();
    assert_eq!(begin.elapsed(), 10 * MS);
    assert_eq!(undrained.limiter(), "draining-within");
    assert_eq!((undrained.in_use(), undrained.waiting()), (2, 1));
    assert_eq!(
        undrained.to_string(),
        "concurrency limit `draining-within` not drained in time: 2 permits still in use, 1 waiting",
    );
    drop(waiting);
    assert_eq!(limiter.drain_within(100 * MS).await.unwrap(), 2);
    assert_eq!(begin.elapsed(), 49 * MS);
    assert_eq!(limiter.drain_within(Duration::ZERO).await.unwrap(), 0);
    assert_all_free(&limiter);
}

#[test]
fn all_runtimes_are_waited_for() {
    static LIMITER: Limiter = Limiter::new("draining-runtimes", 2);

    let (first, second) = (one_thread(), one_thread());
    let here = first.block_on(async { permit(&LIMITER) });
    let (there, mut waiting) = second
        .block_on(async { ((permit(&LIMITER), permit(&LIMITER)), waiter(LIMITER.acquire())) });
    for drained_first in [true, false] {
        let mut drain = waiter(find("draining-runtimes").expect("it is in use").drain());
        if drained_first {
            // The second poll waits too: the limiter is not drained.
            assert_waits(&mut drain);
        }
        drop(drain);
    }
    let mut drain = waiter(LIMITER.drain());
    drop(here);
    assert!(drain.poll().is_pending(), "the other is in use");
    let (one, other) = there;
    drop(one);
    let last = second.block_on(async { served(&mut waiting) });
    drop(other);
    assert!(drain.poll().is_pending());
    drop(last);
    assert_eq!(served(&mut drain), 4);
    assert_figures(&LIMITER, 0, 0);
}

#[test]
fn a_runtime_that_ends_with_calls_running_and_waiting_is_drained() {
    static LIMITER: Limiter = Limiter::new("draining-ended", 1);

    let runtime = one_thread();
    runtime.block_on(async {
        for _ in 0..3 {
            tokio::spawn(async {
                let _permit = LIMITER.acquire().await;
                std::future::pending::<()>().await;
            });
        }
        tokio::task::yield_now().await;
    });
    let mut drain = waiter(LIMITER.drain());
    drop(runtime);
    assert_eq!(served(&mut drain), 3);
    assert_figures(&LIMITER, 0, 0);
}

/// Polls a call once on a runtime, and asserts that it waits.
fn waiter_on(runtime: &Runtime, limiter: &'static Limiter) -> Spawn<Acquire<'static>> {
    let _entered = runtime.enter();
    waiter(limiter.acquire())
}

/// No call waits any more at a runtime that has ended, whether or not it asks again on another
/// runtime.
#[test]
fn a_runtime_that_ends_with_only_waiters_is_drained() {
    static LIMITER: Limiter = Limiter::new("draining-ended-waiters", 0);

    let runtime = one_thread();
    let waiting = waiter_on(&runtime, &LIMITER);
    let mut drain = waiter(LIMITER.drain());
    drop(runtime);
    assert_figures(&LIMITER, 0, 0);
    assert_eq!(served(&mut drain), 1);
    drop(waiting);
}

/// The same, when another runtime has taken the ended runtime's slot before anyone polls.
#[test]
fn a_drain_goes_on_when_another_runtime_takes_the_ended_ones_place() {
    static LIMITER: Limiter = Limiter::new("draining-replaced", 0);

    let runtime = one_thread();
    let waiting = waiter_on(&runtime, &LIMITER);
    let mut drain = waiter(LIMITER.drain());
    drop(runtime);
    drop(waiting);
    let runtimes: Vec<_> = (0..50).map(|_| one_thread()).collect();
    for runtime in &runtimes {
        runtime.block_on(async { LIMITER.try_acquire().unwrap_err() });
    }
    assert_eq!(served(&mut drain), 1);
}

#[test]
fn closing_and_draining_shut_down_in_order() {
    static LIMITER: Limiter<Rejected> =
        Limiter::new("draining-shutdown", 4).max_waiting(100).scope(Scope::Process);

    let runtime = workers(4);
    runtime.block_on(async {
        let calls: Vec<_> = (0..50)
            .map(|_| {
                tokio::spawn(async {
                    let _permit = LIMITER.acquire().await?;
                    // A call is inside when the limiter is closed, however late that is.
                    while !LIMITER.is_closed() {
                        tokio::task::yield_now().await;
                    }
                    Ok::<_, Rejected>(())
                })
            })
            .collect();
        while total(&LIMITER).in_use == 0 {
            tokio::task::yield_now().await;
        }
        LIMITER.close();
        timeout(Duration::from_secs(60), LIMITER.drain()).await.expect("those inside go");
        assert_figures(&LIMITER, 0, 0);
        let mut done = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(()) => done += 1,
                Err(rejected) => assert_eq!(rejected.kind(), RejectedKind::Closed),
            }
        }
        let figures = total(&LIMITER);
        assert_eq!(figures.admitted_at_once + figures.admitted_after_waiting, done);
        assert_eq!(figures.rejected.closed, 50 - done);
        refused(LIMITER.acquire());
        LIMITER.reopen();
        assert_all_free(&LIMITER);
    });
}

/// Permits that are out do not delay the drain: once the limiter is gone nothing reports their
/// return.
#[test]
fn a_drain_is_over_when_its_limiter_is_dropped_even_if_permits_are_out() {
    let limiter = Limiter::new("draining-limiter-gone", 2);
    let handle = find_used(&limiter);
    let (here, runtime) = (permit(&limiter), one_thread());
    let there = runtime.block_on(async { permit(&limiter) });
    let mut drains = [waiter(limiter.drain()), waiter(handle.drain())];
    drop(limiter);
    for drain in &mut drains {
        assert_eq!(served(drain), 2);
    }
    assert_eq!(at_once(handle.drain()), 0, "nor does one wait that begins later");
    drop((here, there));
}

fn find_used(limiter: &Limiter) -> LimiterHandle {
    drop(limiter.snapshot());
    find(limiter.name()).expect("it is in use")
}

#[test]
fn a_drain_that_is_polled_while_its_limiter_goes_does_not_wait_for_the_next_owner() {
    // The limiter is busy on the runtime that the drain looks at last, so that it can be dropped
    // meanwhile.
    let runtimes: Vec<_> = (0..100).map(|_| one_thread()).collect();
    let used = Limiter::new("draining-goes-used", 1);
    for runtime in &runtimes {
        runtime.block_on(async { drop(permit(&used)) });
    }
    let last = runtimes.last().expect("there are some");
    for round in 0..300 {
        let limiter = Limiter::named(format!("draining-goes-{round}"), 1);
        let held = last.block_on(async { permit(&limiter) });
        let mut drain = task::spawn(limiter.drain());
        let both = Barrier::new(2);
        let next = thread::scope(|scope| {
            let next = scope.spawn(|| {
                both.wait();
                drop((held, limiter));
                // It most likely reuses the slot of the dropped limiter.
                let next = Limiter::named(format!("draining-next-{round}"), 1);
                (last.block_on(async { permit(&next) }), next)
            });
            both.wait();
            // The drain begins at each step of the drop, one after another.
            (0..round * 100).for_each(|_| hint::spin_loop());
            let polled = drain.poll();
            let next = next.join().expect("no panic");
            assert!(polled.is_ready() || drain.is_woken(), "in round {round}");
            next
        });
        assert!(drain.poll().is_ready(), "in round {round}");
        drop(next);
    }
}

#[test]
fn a_key_that_is_dropped_by_a_drain_may_use_the_limiter() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Looks;

    static LIMITER: KeyedLimiter = Limiter::new("draining-keys", 1).keyed().per(MS);

    impl Drop for Looks {
        fn drop(&mut self) {
            let _ = LIMITER.snapshot();
        }
    }

    let (done, is_done) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        let drained = runtime.expect("a runtime can be made").block_on(async {
            drop(LIMITER.key(Looks).try_acquire().expect("it is free"));
            tokio::time::advance(2 * MS).await;
            LIMITER.drain().await
        });
        done.send(drained).expect("the test waits");
    });
    let drained = is_done.recv_timeout(PATIENCE).expect("nothing is locked while a key is dropped");
    assert_eq!(drained, 0);
}
