//! Limits that are expressions, evaluated on first use.

use limit_runtime::{Limiter, Scope, concurrency_limit};
use limit_tests::figures::assert_all_free;
use limit_tests::polling::{assert_waits, served, waiter};
use limit_tests::runtimes::{join, one_thread, workers};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use tokio_test::task;

/// Runs a call, and counts it when its first poll is pending.
async fn counted<T>(call: impl Future<Output = T>, pending: &AtomicUsize) -> T {
    let mut call = pin!(call);
    let mut is_first = true;
    poll_fn(|context| {
        let polled = call.as_mut().poll(context);
        if std::mem::take(&mut is_first) && polled.is_pending() {
            pending.fetch_add(1, Ordering::SeqCst);
        }
        polled
    })
    .await
}

/// Waits until `most` calls are pending, or until a second call evaluates the limit, which must not
/// happen.
fn await_pending(pending: &AtomicUsize, most: usize, evaluated: &AtomicUsize) {
    while pending.load(Ordering::SeqCst) < most && evaluated.load(Ordering::SeqCst) == 1 {
        thread::yield_now();
    }
}

#[test]
fn sixty_four_tasks_on_four_threads_evaluate_it_once() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);
    static PENDING: AtomicUsize = AtomicUsize::new(0);
    static LIMITER: Limiter = Limiter::lazy("lazy-race", || {
        EVALUATED.fetch_add(1, Ordering::SeqCst);
        await_pending(&PENDING, 63, &EVALUATED);
        3
    });

    #[concurrency_limit(limiter = LIMITER)]
    async fn limited() {
        tokio::task::yield_now().await;
    }

    workers(4).block_on(async {
        join((0..64).map(|_| tokio::spawn(counted(limited(), &PENDING))).collect()).await;
        assert_eq!(EVALUATED.load(Ordering::SeqCst), 1);
        assert_eq!(LIMITER.limit(), Some(3));
        assert_all_free(&LIMITER);
    });
}

#[test]
fn an_expression_in_the_attribute_is_evaluated_once_for_each_runtime() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);

    fn limit() -> usize {
        2 + EVALUATED.fetch_add(1, Ordering::SeqCst)
    }

    #[concurrency_limit(limit(), name = "lazy-each-runtime")]
    async fn limited() {
        tokio::task::yield_now().await;
    }

    let runtimes = [workers(4), one_thread()];
    for _ in 0..3 {
        for runtime in &runtimes {
            runtime.block_on(async {
                join((0..64).map(|_| tokio::spawn(limited())).collect()).await;
            });
        }
    }
    assert_eq!(EVALUATED.load(Ordering::SeqCst), 2);
    let limiter = limit_runtime::find("lazy-each-runtime").expect("it is in use");
    let snapshot = limiter.snapshot();
    let limits: Vec<_> = snapshot.runtimes.iter().map(|runtime| runtime.figures.limit).collect();
    assert_eq!(limits, [2, 3], "each runtime has its own");
}

#[test]
fn an_expression_is_evaluated_once_for_the_process() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);

    fn limit() -> usize {
        2 + EVALUATED.fetch_add(1, Ordering::SeqCst)
    }

    #[concurrency_limit(limit(), scope = process)]
    async fn limited() {
        tokio::task::yield_now().await;
    }

    for runtime in [workers(4), one_thread()] {
        runtime.block_on(async {
            join((0..64).map(|_| tokio::spawn(limited())).collect()).await;
        });
    }
    assert_eq!(EVALUATED.load(Ordering::SeqCst), 1);
}

#[test]
fn an_expression_that_panics_first_is_evaluated_again_by_the_next_caller() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);

    #[concurrency_limit({
        assert!(EVALUATED.fetch_add(1, Ordering::SeqCst) > 0, "meant to");
        1
    })]
    async fn limited() -> u8 {
        5
    }

    let first = catch_unwind(|| task::spawn(limited()).poll());
    assert!(first.is_err(), "the panic goes to the caller that was first");
    for _ in 0..3 {
        assert_eq!(task::spawn(limited()).poll(), std::task::Poll::Ready(5));
    }
    assert_eq!(EVALUATED.load(Ordering::SeqCst), 2);
}

#[test]
fn when_the_first_evaluation_panics_those_who_waited_for_it_are_let_in_by_the_second() {
    static EVALUATED: AtomicUsize = AtomicUsize::new(0);
    static PENDING: AtomicUsize = AtomicUsize::new(0);
    static LIMITER: Limiter = Limiter::lazy("lazy-panic-race", || {
        if EVALUATED.fetch_add(1, Ordering::SeqCst) == 0 {
            await_pending(&PENDING, 63, &EVALUATED);
            panic!("meant to");
        }
        3
    });

    workers(4).block_on(async {
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                tokio::spawn(async {
                    let _permit = counted(LIMITER.acquire(), &PENDING).await;
                    tokio::task::yield_now().await;
                })
            })
            .collect();
        let mut panicked = 0;
        for task in tasks {
            panicked += u32::from(task.await.is_err());
        }
        assert_eq!(panicked, 1);
        assert_eq!(EVALUATED.load(Ordering::SeqCst), 2);
        assert_eq!(LIMITER.snapshot().total.cancelled, 0, "nobody gave up");
        assert_all_free(&LIMITER);
    });
}

#[test]
fn whoever_panics_does_not_undo_what_another_has_found_out() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static BOTH: Barrier = Barrier::new(2);
    static BOUND: AtomicBool = AtomicBool::new(false);
    // The first call is stopped half way. The second cannot wait for it, and panics after the first
    // is done.
    static LIMITER: Limiter =
        Limiter::lazy("lazy-panic-late", || match CALLS.fetch_add(1, Ordering::SeqCst) {
            0 => {
                BOTH.wait();
                2
            }
            1 => {
                BOTH.wait();
                while !BOUND.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                panic!("meant to");
            }
            _ => 2,
        })
        .scope(Scope::Process);

    let second = thread::scope(|scope| {
        let first = scope.spawn(|| {
            let permit = limit_tests::polling::permit(&LIMITER);
            BOUND.store(true, Ordering::SeqCst);
            permit
        });
        let second = scope.spawn(|| {
            while CALLS.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            catch_unwind(AssertUnwindSafe(|| LIMITER.try_acquire().is_ok()))
        });
        drop(first.join().expect("the first found the limit out"));
        second.join().expect("it catches its panic")
    });
    assert!(second.is_err(), "the panic goes to the caller");
    LIMITER.set_limit(1);
    let held = LIMITER.try_acquire().expect("one is free");
    let mut next = waiter(LIMITER.acquire());
    assert_waits(&mut next);
    drop(held);
    drop(served(&mut next));
    assert_eq!(CALLS.load(Ordering::SeqCst), 2, "it is not found out a third time");
    assert_all_free(&LIMITER);
}

#[test]
fn an_expression_that_uses_its_own_limiter_panics_and_does_not_hang() {
    static ASKS: Limiter =
        Limiter::lazy("lazy-asks-itself", || usize::from(ASKS.try_acquire().is_ok()));
    static CALLS: Limiter = Limiter::lazy("lazy-calls-itself", || {
        let permit = task::spawn(CALLS.acquire()).poll();
        usize::from(permit.is_ready())
    });

    for limiter in [&ASKS, &CALLS] {
        let found_out = catch_unwind(|| limiter.try_acquire().is_ok());
        let panic = found_out.expect_err("it panics");
        let message = panic.downcast_ref::<String>().expect("it says why");
        assert!(message.contains(limiter.name()), "{message}");
        assert_eq!(limiter.snapshot().total.waiting, 0);
    }
}

#[test]
fn an_expression_that_waits_for_its_own_limiters_permit_panics_and_does_not_hang() {
    static LIMITER: Limiter = Limiter::lazy("lazy-waits-for-itself", || {
        LIMITER.set_limit(1);
        let _held = LIMITER.try_acquire().expect("the limit is known now, and the permit free");
        usize::from(task::spawn(LIMITER.acquire()).poll().is_ready())
    });

    let panic = catch_unwind(|| LIMITER.try_acquire().is_ok()).expect_err("it panics");
    let message = panic.downcast_ref::<String>().expect("it says why");
    assert!(message.contains("lazy-waits-for-itself"), "{message}");
    assert_all_free(&LIMITER);
}

#[test]
fn a_limit_of_zero_found_out_while_running_pauses_with_a_warning() {
    static FROM_FILE: AtomicUsize = AtomicUsize::new(0);

    #[concurrency_limit(FROM_FILE.load(Ordering::SeqCst), name = "lazy-zero")]
    async fn limited() {}

    let mut call = waiter(limited());
    let limiter = limit_runtime::find("lazy-zero").expect("it is in use");
    let snapshot = limiter.snapshot();
    assert_eq!((snapshot.total.limit, snapshot.total.waiting), (0, 1));
    assert_eq!(snapshot.warnings, ["the limit is 0: every call waits until it is raised"]);
    assert!(snapshot.to_string().contains("every call waits"), "{snapshot}");
    limiter.set_limit(1);
    served(&mut call);
    assert_eq!(limiter.snapshot().total.admitted_after_waiting, 1);
}

#[test]
fn a_limit_that_was_set_before_the_first_use_is_not_found_out() {
    static LIMITER: Limiter = Limiter::lazy("lazy-set-before", || unreachable!("it was set"));

    LIMITER.set_limit(2);
    assert_eq!(LIMITER.limit(), Some(2));
    assert_all_free(&LIMITER);
    one_thread().block_on(async { assert_all_free(&LIMITER) });
}

#[test]
fn a_limit_that_cannot_be_found_out_is_told_once_however_often_it_is_tried() {
    static TRIED: AtomicUsize = AtomicUsize::new(0);
    static LIMITER: Limiter = Limiter::lazy("lazy-panics-often", || {
        TRIED.fetch_add(1, Ordering::SeqCst);
        panic!("meant to")
    });

    LIMITER.set_limit(2);
    drop(limit_tests::polling::permit(&LIMITER));
    for _ in 0..50 {
        LIMITER.reset();
        LIMITER.set_limit(2);
    }
    assert_eq!(TRIED.load(Ordering::SeqCst), 50);
    let warnings = LIMITER.snapshot().warnings;
    assert_eq!(warnings.len(), 1, "{} warnings, {:?} ...", warnings.len(), warnings.first());
}
