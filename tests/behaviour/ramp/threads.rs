//! Ramps of several runtimes, and threads that block.

use super::{MS, SECOND, take_all};
use limit_runtime::{Limiter, Permit, Scope};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{permit, served, waiter};
use limit_tests::runtimes::{one_thread, paused};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};
use tokio::time::{advance, timeout};

#[test]
fn each_runtime_has_a_ramp_of_its_own() {
    static LIMITER: Limiter = Limiter::new("ramp-runtimes", 5).ramp(Duration::from_secs(40));
    let (one, other) = (paused(), paused());
    let first: Vec<Permit> = one.block_on(async {
        let first = take_all(&LIMITER);
        advance(40 * SECOND).await;
        first.into_iter().chain(take_all(&LIMITER)).collect()
    });
    assert_eq!(first.len(), 5);
    other.block_on(async {
        assert_eq!(take_all(&LIMITER).len(), 1);
        let snapshot = LIMITER.snapshot();
        assert_eq!(snapshot.total.withheld, 4);
    });
}

#[test]
fn the_process_has_one_ramp_for_all_runtimes_as_far_as_by_the_clock_that_is_furthest() {
    static LIMITER: Limiter =
        Limiter::new("ramp-process", 5).ramp(Duration::from_secs(40)).scope(Scope::Process);
    let (one, other) = (paused(), paused());
    let mut held = one.block_on(async {
        let held = take_all(&LIMITER);
        advance(20 * SECOND).await;
        held
    });
    assert_eq!(held.len(), 1);
    other.block_on(async {
        advance(3_600 * SECOND).await;
        // Its clock has not been seen before, so it goes on from where the ramp was known to be.
        assert_eq!(take_all(&LIMITER).len(), 0);
    });
    one.block_on(async { held.extend(take_all(&LIMITER)) });
    assert_eq!(held.len(), 3);
    other.block_on(async {
        let begin = tokio::time::Instant::now();
        held.push(timeout(60 * SECOND, LIMITER.acquire()).await.expect("by its own clock"));
        held.push(timeout(60 * SECOND, LIMITER.acquire()).await.expect("by its own clock"));
        assert!(begin.elapsed() <= 40 * SECOND);
    });
    assert_eq!(total(&LIMITER).withheld, 0);
}

#[test]
fn a_call_is_served_though_the_runtime_where_another_waits_does_not_run() {
    static LIMITER: Limiter =
        Limiter::new("ramp-stands", 3).ramp(Duration::from_millis(40)).scope(Scope::Process);
    let (stands, runs) = (one_thread(), one_thread());
    let held = stands.block_on(async { permit(&LIMITER) });
    let mut first = {
        let _context = stands.enter();
        waiter(LIMITER.acquire())
    };
    let second = runs.block_on(LIMITER.acquire());
    let _context = stands.enter();
    drop((held, second, served(&mut first)));
}

#[test]
fn calls_live_on_when_the_runtime_that_watched_for_them_ends() {
    static LIMITER: Limiter =
        Limiter::new("ramp-ends-runtime", 3).ramp(Duration::from_millis(60)).scope(Scope::Process);
    let (ends, lives) = (one_thread(), one_thread());
    let _held = lives.block_on(async { permit(&LIMITER) });
    let mut call = Box::pin(LIMITER.acquire());
    ends.block_on(async {
        assert!(timeout(MS, &mut call).await.is_err(), "it waits");
    });
    drop(ends);
    let second = lives.block_on(async { timeout(60 * SECOND, call).await });
    assert!(second.is_ok(), "it is served");
}

#[test]
fn threads_that_block_are_let_in_one_by_one() {
    static LIMITER: Limiter =
        Limiter::new("ramp-blocks", 4).ramp(Duration::from_millis(300)).scope(Scope::Process);
    let (begin, all_in) = (Instant::now(), Barrier::new(4));
    let mut starts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let permit = LIMITER.blocking_acquire();
                    let start = begin.elapsed();
                    all_in.wait();
                    drop(permit);
                    start
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    starts.sort();
    for (start, earliest) in starts.iter().zip([0, 100, 200, 300]) {
        assert!(*start >= Duration::from_millis(earliest), "{starts:?}");
    }
    assert_figures(&LIMITER, 0, 0);
}
