//! Runtimes and keys that come and go leave nothing behind but their figures.
//!
//! These tests are a process of their own, because they count all limiters of the process.

#[path = "memory/peaks.rs"]
mod peaks;
#[path = "memory/refusals.rs"]
mod refusals;

use allocation_counter::measure;
use limit_runtime::{KeyedLimiter, Limiter, Scope, concurrency_limit, find, limiters};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// Writes ten limited functions, one for each name, and one that calls them all.
macro_rules! limited {
    ($($name:ident)*) => {
        $(
            #[concurrency_limit(2, name = stringify!($name))]
            async fn $name() {
                yield_now().await;
            }
        )*

        const NAMES: [&str; 10] = [$(stringify!($name)),*];

        async fn call_each() {
            $($name().await;)*
        }

        fn spawn_each(runtime: &Runtime) -> Vec<tokio::task::JoinHandle<()>> {
            vec![$(runtime.spawn($name())),*]
        }
    };
}

limited!(one two three four five six seven eight nine ten);

/// Runs a runtime that calls each of the functions once and ends, in one of several ways.
fn come_and_go(turn: usize) {
    let runtime = Builder::new_current_thread().build().expect("a runtime can be made");
    if turn % 2 == 0 {
        runtime.block_on(call_each());
    } else {
        for task in spawn_each(&runtime) {
            runtime.block_on(task).expect("the task does not panic");
        }
    }
    match turn % 3 {
        0 => drop(runtime),
        1 => runtime.shutdown_background(),
        _ => runtime.shutdown_timeout(Duration::ZERO),
    }
}

#[test]
fn ten_thousand_runtimes_one_after_another_leave_nothing_behind() {
    const WARM_UP: usize = 100;
    const RUNTIMES: usize = 10_000;

    (0..WARM_UP).for_each(come_and_go);
    let allocated = measure(|| (WARM_UP..RUNTIMES).for_each(come_and_go));
    assert!(
        allocated.bytes_current < 4096,
        "memory is flat, but {} bytes are still in use",
        allocated.bytes_current
    );

    // The limiters of the other tests are left out.
    let ours = || limiters().into_iter().filter(|limiter| NAMES.contains(&limiter.name()));
    assert_eq!(ours().count(), NAMES.len());
    for name in NAMES {
        let snapshot = find(name).expect("it was used").snapshot();
        assert_eq!(snapshot.runtimes, [], "no runtime lives");
        let total = snapshot.total;
        assert_eq!((total.in_use, total.waiting, total.cancelled), (0, 0, 0));
        let admitted = total.admitted_at_once + total.admitted_after_waiting;
        assert_eq!(admitted, RUNTIMES as u64, "of {name}");
    }
    let all = ours().map(|limiter| {
        let total = limiter.snapshot().total;
        total.admitted_at_once + total.admitted_after_waiting
    });
    assert_eq!(all.sum::<u64>(), 100_000);
}

/// A forgotten permit keeps its own storage, and nothing else of its runtime.
#[test]
fn a_runtime_that_ends_with_a_permit_forgotten_leaves_no_more_than_that_behind() {
    const RUNTIMES: u16 = 500;
    static FORGOTTEN: Limiter = Limiter::new("forgotten", 2);
    static OTHERS: [Limiter; 3] =
        [Limiter::new("other", 1), Limiter::new("another", 1), Limiter::new("third", 1)];

    fn forget_one(turn: u16) {
        let runtime = Builder::new_current_thread().build().expect("a runtime can be made");
        runtime.block_on(async {
            for other in &OTHERS {
                drop(other.acquire().await);
            }
            std::mem::forget(FORGOTTEN.acquire().await);
            drop(FORGOTTEN.acquire().await);
            let total = FORGOTTEN.snapshot().total;
            let turns = usize::from(turn) + 1;
            assert_eq!((total.in_use, total.admitted_at_once), (turns, 2 * turns as u64));
        });
    }

    (0..100).for_each(forget_one);
    let allocated = measure(|| (100..100 + RUNTIMES).for_each(forget_one));
    let each = allocated.bytes_current / i64::from(RUNTIMES);
    assert!(each < 1024, "{each} bytes for each");
}

/// Uses ten million keys once each, and some at the same time now and then. Runs on two threads,
/// because memory is counted for each thread.
#[test]
fn ten_million_keys_used_once_leave_nothing_behind() {
    const KEYS: u64 = 10_000_000;
    const AT_ONCE: u64 = 1_500;

    fn use_up(limiter: &KeyedLimiter, keys: Range<u64>) {
        let use_once = |key: u64| drop(limiter.key(key).try_acquire().expect("it is free"));
        let use_at_once = |keys: Range<u64>| {
            let held: Vec<_> = keys.map(|key| limiter.key(key).try_acquire()).collect();
            assert!(held.iter().all(Result::is_ok));
        };
        let mut rest = keys.clone();
        use_at_once(keys.start..keys.start + AT_ONCE);
        rest.by_ref().take(10_000).for_each(use_once);
        let allocated = measure(|| {
            rest.for_each(use_once);
            use_at_once(keys.start..keys.start + AT_ONCE);
        });
        // The share of a pool of the process that this thread finds depends on the other threads.
        assert!(
            allocated.bytes_current < 16_384,
            "memory is flat, but {} bytes are still in use",
            allocated.bytes_current
        );
        let total = limiter.snapshot().total;
        assert_eq!((total.keys, total.in_use), (0, 0));
        assert_eq!(total.admitted_at_once, keys.end - keys.start + 2 * AT_ONCE);
    }

    let limiters = [(); 2].map(|()| Limiter::new("keys-once", 1).scope(Scope::Process).keyed());
    let [first, second] = &limiters;
    thread::scope(|scope| {
        scope.spawn(|| use_up(first, 0..KEYS / 2));
        use_up(second, KEYS / 2..KEYS);
    });
}

/// Some of the calls are polled after they were refused, and some are dropped before.
#[test]
fn a_hundred_thousand_waiters_that_are_refused_at_once_leave_nothing_behind() {
    const WAITERS: usize = 100_000;
    /// The bytes of the grants, which belong to the process: other tests may have taken some of
    /// them meanwhile. Refusals that were kept would need several times as much.
    const GRANTS: i64 = 9 * 100_000;

    let limiter = Limiter::new("refused-at-once", 0).scope(Scope::Process).max_waiting(WAITERS);
    let wait = || -> Vec<_> { (0..WAITERS).map(|_| waiter(limiter.acquire())).collect() };
    // The queue may keep the storage that it needs for so many.
    drop(wait());
    let allocated = measure(|| {
        for round in 0..2 {
            let calls = wait();
            limiter.close();
            let context = &mut Context::from_waker(Waker::noop());
            for mut call in calls.into_iter().skip(round * WAITERS / 2) {
                assert!(matches!(call.as_mut().poll(context), Poll::Ready(Err(_))));
            }
            limiter.reopen();
        }
    });
    assert!(
        allocated.bytes_current < 4096 + GRANTS,
        "memory is flat, but {} bytes are still in use",
        allocated.bytes_current
    );
    let total = limiter.snapshot().total;
    assert_eq!((total.waiting, total.rejected.closed), (0, 2 * WAITERS as u64));
}

/// Polls a call once and asserts that it waits. It allocates no more than the future.
fn waiter<F: Future>(call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    call
}
