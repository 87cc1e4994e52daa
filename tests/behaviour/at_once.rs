//! Calls that are refused at once, because no permit is free and none may wait.

use limit_runtime::{EventKind, Limiter, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{let_in, refused};
use limit_tests::runtimes::{join, workers};

#[track_caller]
fn assert_reached(rejected: &Rejected, kind: RejectedKind, in_use: usize, limit: usize) {
    let figures = (rejected.kind(), rejected.in_use(), rejected.limit(), rejected.waiting());
    assert_eq!(figures, (kind, in_use, limit, 0));
}

#[test]
fn calls_of_many_tasks_are_each_counted_once() {
    static LIMITER: Limiter<Rejected> = Limiter::new("at-once-many", 2).max_waiting(0);
    const TASKS: u64 = 8;
    const CALLS: u64 = 2000;

    workers(4).block_on(async {
        let tasks = (0..TASKS).map(|task| {
            tokio::spawn(async move {
                let mut counts = (0, 0);
                for call in 0..CALLS {
                    if (task + call) % 2 == 0 {
                        match LIMITER.acquire().await {
                            Ok(_) => counts.0 += 1,
                            Err(rejected) => assert_eq!(rejected.kind(), RejectedKind::QueueFull),
                        }
                    } else {
                        match LIMITER.try_acquire() {
                            Ok(_) => counts.1 += 1,
                            Err(rejected) => assert_eq!(rejected.kind(), RejectedKind::NoPermits),
                        }
                    }
                }
                counts
            })
        });
        let admitted = join(tasks.collect()).await;
        let admitted = admitted.iter().fold((0, 0), |sum, task| (sum.0 + task.0, sum.1 + task.1));
        let figures = total(&LIMITER);
        let each = TASKS * CALLS / 2;
        assert_eq!(figures.admitted_at_once, admitted.0 + admitted.1);
        assert_eq!(figures.rejected.queue_full, each - admitted.0);
        assert_eq!(figures.rejected.no_permits, each - admitted.1);
        assert_eq!(figures.rejected.total(), 2 * each - figures.admitted_at_once);
        assert_all_free(&LIMITER);
    });
}

#[test]
fn the_figures_are_those_of_the_limit_as_it_is_now() {
    let limiter = Limiter::new("at-once-limit", 1).max_waiting(0);
    let mut held = vec![let_in(limiter.acquire())];
    assert_reached(&refused(limiter.acquire()), RejectedKind::QueueFull, 1, 1);
    limiter.set_limit(3);
    held.push(let_in(limiter.acquire()));
    let heavy = limiter.try_acquire_many(2).unwrap_err();
    assert_reached(&heavy, RejectedKind::NoPermits, 2, 3);
    assert_eq!(heavy.weight(), 2);
    held.push(let_in(limiter.acquire()));
    assert_reached(&refused(limiter.acquire()), RejectedKind::QueueFull, 3, 3);
    limiter.set_limit(2);
    assert_reached(&refused(limiter.acquire()), RejectedKind::QueueFull, 3, 2);
    let too_heavy = limiter.try_acquire_many(3).unwrap_err();
    assert_reached(&too_heavy, RejectedKind::TooHeavy, 3, 2);
    held.pop();
    assert_reached(&limiter.try_acquire().unwrap_err(), RejectedKind::NoPermits, 2, 2);
    limiter.set_limit(0);
    let paused = limiter.try_acquire().unwrap_err();
    assert_eq!(
        paused.to_string(),
        "concurrency limit `at-once-limit` reached: the limit is 0 (paused), 2 still in use, 0 waiting"
    );
    limiter.set_limit(2);
    assert_reached(&limiter.try_acquire().unwrap_err(), RejectedKind::NoPermits, 2, 2);
    let rejected = total(&limiter).rejected;
    assert_eq!((rejected.queue_full, rejected.no_permits, rejected.too_heavy), (3, 4, 1));
    drop(held);
    assert_all_free(&limiter);
}

#[test]
fn a_queue_that_opens_and_closes_lets_calls_wait_or_refuses_them() {
    let limiter = Limiter::new("at-once-queue", 1).max_waiting(0);
    let held = let_in(limiter.acquire());
    assert_reached(&refused(limiter.acquire()), RejectedKind::QueueFull, 1, 1);
    limiter.set_max_waiting(1);
    let waiting = limit_tests::polling::waiter(limiter.acquire());
    assert_eq!(refused(limiter.acquire()).waiting(), 1);
    drop(waiting);
    limiter.set_max_waiting(0);
    assert_reached(&refused(limiter.acquire()), RejectedKind::QueueFull, 1, 1);
    drop(held);
    assert_eq!(total(&limiter).rejected.queue_full, 3);
    assert_all_free(&limiter);
}

#[test]
fn subscribers_and_a_closed_limiter_see_each_refusal_and_others_follow_when_they_are_gone() {
    let limiter = Limiter::new("at-once-modes", 1).max_waiting(0);
    let held = let_in(limiter.acquire());
    let try_again = || limiter.try_acquire().unwrap_err().kind();
    assert_eq!(try_again(), RejectedKind::NoPermits);
    let mut events = limiter.subscribe();
    assert_eq!(try_again(), RejectedKind::NoPermits);
    let event = events.try_recv().expect("the refusal is told");
    assert_eq!(event.kind, EventKind::Rejected(RejectedKind::NoPermits));
    limiter.close();
    assert_eq!(try_again(), RejectedKind::Closed);
    assert!(events.try_recv().is_ok());
    drop(events);
    limiter.reopen();
    for _ in 0..3 {
        assert_eq!(try_again(), RejectedKind::NoPermits);
    }
    let rejected = total(&limiter).rejected;
    assert_eq!((rejected.no_permits, rejected.closed, rejected.total()), (5, 1, 6));
    drop(held);
    assert_all_free(&limiter);
}
