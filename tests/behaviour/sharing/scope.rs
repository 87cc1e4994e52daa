//! Permits that belong to one runtime or to the whole process.

use super::{assert_enters, holder, stay};
use limit_runtime::{Limiter, RuntimeSnapshot, Scope, concurrency_limit, find};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, refused, waiter};
use limit_tests::runtimes::one_thread;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

#[concurrency_limit(2, name = "sharing of a runtime")]
async fn of_a_runtime(inside: &Inside) {
    stay(inside).await;
}

#[concurrency_limit(2, name = "sharing of the process", scope = process)]
async fn of_the_process(inside: &Inside) {
    stay(inside).await;
}

#[test]
fn with_scope_runtime_each_of_two_live_runtimes_admits_the_limit() {
    let (one, other) = (one_thread(), one_thread());
    let inside = Inside::new();
    let calls = [&one, &other].map(|runtime| {
        let _context = runtime.enter();
        let first = holder(of_a_runtime(&inside), &inside);
        let second = holder(of_a_runtime(&inside), &inside);
        (first, second, waiter(of_a_runtime(&inside)))
    });
    assert_eq!(inside.now(), 4);

    let snapshot = find("sharing of a runtime").unwrap().snapshot();
    assert_eq!(snapshot.scope, Scope::Runtime);
    assert_eq!((snapshot.total.in_use, snapshot.total.waiting), (4, 2));
    let each = |runtime: &RuntimeSnapshot| (runtime.figures.in_use, runtime.figures.waiting);
    let runtimes: Vec<_> = snapshot.runtimes.iter().map(each).collect();
    assert_eq!(runtimes, [(2, 1), (2, 1)]);

    // A permit that comes back goes to a waiter of the same runtime, wherever the waiter is polled
    // then.
    let [(first, _second, mut third), (_, _, mut waits)] = calls;
    drop(first);
    assert_enters(&mut third, &inside);
    assert_waits(&mut waits);
}

#[test]
fn with_scope_process_two_live_runtimes_together_admit_the_limit() {
    let (one, other) = (one_thread(), one_thread());
    let inside = Inside::new();
    let on_one = one.enter();
    let first = holder(of_the_process(&inside), &inside);
    drop(on_one);
    let on_other = other.enter();
    let second = holder(of_the_process(&inside), &inside);
    let mut third = waiter(of_the_process(&inside));
    drop(on_other);
    let mut outside = waiter(of_the_process(&inside));

    let snapshot = find("sharing of the process").unwrap().snapshot();
    assert_eq!(snapshot.scope, Scope::Process);
    assert_eq!((snapshot.total.in_use, snapshot.total.waiting), (2, 2));
    assert_eq!(snapshot.runtimes.len(), 1, "one entry for the process");
    assert_eq!(snapshot.runtimes[0].runtime, 0);

    drop(first);
    assert_enters(&mut third, &inside);
    drop((one, other));
    assert_waits(&mut outside);
    drop(second);
    assert_enters(&mut outside, &inside);
    assert_eq!(inside.most(), 2);
}

#[test]
fn a_limit_found_out_while_running_is_that_of_its_scope() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    fn ask() -> usize {
        ASKED.fetch_add(1, Ordering::SeqCst) + 1
    }

    let by_runtime = Limiter::lazy("sharing by runtime", ask);
    let runtimes = [one_thread(), one_thread(), one_thread()];
    for round in 0..2 {
        for (runtime, limit) in runtimes.iter().zip(1..) {
            let _context = runtime.enter();
            let heavy = refused(by_runtime.acquire_many(1_000));
            assert_eq!(heavy.limit(), limit, "in round {round}");
        }
    }

    let by_process = Limiter::lazy("sharing by process", ask).scope(Scope::Process);
    for runtime in &runtimes {
        let _context = runtime.enter();
        assert_eq!(refused(by_process.acquire_many(1_000)).limit(), 4);
    }
    assert_eq!(ASKED.load(Ordering::SeqCst), 4);
}

#[test]
fn threads_that_are_the_first_to_use_a_limiter_all_find_its_permits() {
    const THREADS: usize = 4;
    let barrier = Barrier::new(THREADS);
    for round in 0..2000 {
        let limiter = Limiter::new("sharing first use", THREADS);
        let take = || {
            barrier.wait();
            limiter.try_acquire()
        };
        let permits = thread::scope(|scope| {
            let threads: [_; THREADS] = std::array::from_fn(|_| scope.spawn(take));
            threads.map(|thread| thread.join().expect("the thread does not panic"))
        });
        for permit in &permits {
            assert!(permit.is_ok(), "in round {round}: {permit:?}");
        }
        drop(permits);
    }
}
