//! Calls that wait beside others of their task, and permits that are elsewhere: no deadlock. Each would be one if the
//! calls were inside each other.

use crate::support::{Work, deadlocks, runtime, until_busy, until_ended, until_looked};
use futures::future::{join_all, select_all};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use limit_runtime::task::{LimitStreamExt, Pool};
use limit_runtime::tower::LimitLayer;
use limit_runtime::{Limiter, Permit, concurrency_limit};
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::task::{JoinHandle, yield_now};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// Asserts that the watcher finds nothing, and that the tasks end when the work is done.
fn goes_on(
    runtime: &tokio::runtime::Runtime,
    limiter: &Limiter,
    work: &Work,
    tasks: impl IntoIterator<Item = JoinHandle<()>>,
) {
    // Twice: a wait that was polled again must be still for longer.
    for _ in 0..2 {
        until_looked();
        let found = deadlocks(limiter.name());
        assert!(found.is_empty(), "{}", found[0]);
    }
    work.finish();
    until_ended(runtime, tasks);
}

/// One task holds all permits of the limiter in some of its calls, and waits for another one in others.
fn crowded<F: Future<Output: Send> + Send + 'static>(
    limiter: &'static Limiter,
    (holders, waiters): (usize, usize),
    calls: impl FnOnce(Work) -> F,
) {
    let (runtime, work) = (runtime(), Work::new());
    let calls = calls(work.clone());
    let task = runtime.spawn(async move { drop(calls.await) });
    until_busy(limiter, holders, waiters);
    goes_on(&runtime, limiter, &work, [task]);
}

/// A task holds the permit of `a` in one call, and waits for the one of `b` in another. A second task waits for `a`
/// inside a call that holds `b`.
fn crossed<F: Future<Output: Send> + Send + 'static>(
    a: &'static Limiter,
    b: &'static Limiter,
    calls: impl FnOnce(Work) -> F,
) {
    let (runtime, work, start) = (runtime(), Work::new(), Work::new());
    let started = start.clone();
    let other = runtime.spawn(b.run(async {
        started.done().await;
        drop(a.acquire().await);
    }));
    until_busy(b, 1, 0);
    let calls = calls(work.clone());
    let task = runtime.spawn(async move { drop(calls.await) });
    until_busy(a, 1, 0);
    until_busy(b, 1, 1);
    start.finish();
    until_busy(a, 1, 1);
    goes_on(&runtime, a, &work, [task, other]);
}

#[test]
fn an_agent_with_two_waits() {
    static A: Limiter = Limiter::new("beside-two-waits", 1);
    crowded(&A, (1, 2), |work| async {
        let permit = A.acquire().await;
        let works = async {
            work.done().await;
            drop(permit);
        };
        tokio::join!(works, async { drop(A.acquire().await) }, async { drop(A.acquire().await) })
    });
}

#[test]
fn a_hold_that_is_younger_than_the_wait() {
    static A: Limiter = Limiter::new("beside-younger-a", 1);
    static B: Limiter = Limiter::new("beside-younger-b", 1);
    crossed(&A, &B, |work| async {
        let holds = async {
            yield_now().await;
            let _permit = A.acquire().await;
            work.done().await;
        };
        tokio::join!(holds, async {
            drop(B.acquire().await);
        })
    });
}

#[test]
fn a_wait_whose_task_does_something_else_meanwhile() {
    static A: Limiter = Limiter::new("beside-polled-a", 1);
    static B: Limiter = Limiter::new("beside-polled-b", 1);
    crossed(&A, &B, |work| {
        A.run(async {
            let (mut waits, mut gives_up) = (pin!(B.acquire()), pin!(work.done()));
            loop {
                tokio::select! {
                    _ = &mut waits => return,
                    () = &mut gives_up => return,
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                }
            }
        })
    });
}

#[test]
fn a_wait_whose_task_comes_by_seldom() {
    static A: Limiter = Limiter::new("beside-seldom-a", 1);
    static B: Limiter = Limiter::new("beside-seldom-b", 1);
    crossed(&A, &B, |work| {
        A.run(async {
            let (mut waits, mut gives_up) = (pin!(B.acquire()), pin!(work.done()));
            loop {
                tokio::select! {
                    _ = &mut waits => return,
                    () = &mut gives_up => return,
                    // Longer than the time between the two looks that confirm a deadlock.
                    () = tokio::time::sleep(Duration::from_millis(1_500)) => {}
                }
            }
        })
    });
}

#[test]
fn a_wait_with_a_deadline() {
    static A: Limiter = Limiter::new("beside-deadline-a", 1);
    static B: Limiter = Limiter::new("beside-deadline-b", 1);
    crossed(&A, &B, |work| async {
        let waits = A.run(async {
            drop(B.acquire().max_wait(Duration::from_secs(600)).await);
        });
        // The test does not wait for as long as the call does.
        tokio::select! {
            () = waits => {}
            () = work.done() => {}
        }
    });
}

#[test]
fn calls_with_wakers_of_their_own() {
    static A: Limiter = Limiter::new("beside-wakers-a", 1);
    static B: Limiter = Limiter::new("beside-wakers-b", 1);

    #[concurrency_limit(limiter = A)]
    async fn a(work: Work) {
        work.done().await;
    }

    #[concurrency_limit(limiter = B)]
    async fn b() {}

    crossed(&A, &B, |work| async {
        let calls = FuturesUnordered::new();
        calls.push(a(work).boxed());
        calls.push(async { b().await }.boxed());
        calls.collect::<Vec<_>>().await
    });
}

#[test]
fn many_calls_of_one_function_with_wakers_of_their_own() {
    static A: Limiter = Limiter::new("beside-many", 40);

    #[concurrency_limit(limiter = A)]
    async fn a(work: Work) {
        work.done().await;
    }

    // Of so many, `join_all` polls only those that were woken.
    crowded(&A, (40, 1), |work| join_all((0..41).map(move |_| a(work.clone()))));
}

/// The ways of calling one function side by side, all of which poll it at one depth.
mod one_function {
    use super::*;

    macro_rules! test {
        ($name:ident, $limit:expr, |$a:ident, $work:ident| $calls:expr) => {
            #[test]
            fn $name() {
                static A: Limiter = Limiter::new(concat!("beside-one-", stringify!($name)), $limit);

                #[concurrency_limit(limiter = A)]
                async fn $a(work: Work) {
                    work.done().await;
                }

                crowded(&A, ($limit, 1), |$work| async move {
                    let _ = $calls;
                });
            }
        };
    }

    test!(join, 1, |a, work| tokio::join!(a(work.clone()), a(work)));
    test!(join_of_three, 2, |a, work| tokio::join!(a(work.clone()), a(work.clone()), a(work)));
    test!(join_of_futures, 1, |a, work| futures::join!(a(work.clone()), a(work)));
    test!(join_as_function, 1, |a, work| futures::future::join(a(work.clone()), a(work)).await);
    test!(try_join, 1, |a, work| {
        let a = |work| a(work).map(Ok::<(), Infallible>);
        tokio::try_join!(a(work.clone()), a(work))
    });
    test!(all, 3, |a, work| join_all((0..4).map(|_| a(work.clone()))).await);
    test!(select, 1, |a, work| {
        tokio::select! {
            () = a(work.clone()) => {}
            () = a(work) => {}
        }
    });
    test!(select_of_all, 2, |a, work| select_all((0..3).map(|_| a(work.clone()).boxed())).await);
    test!(join_of_boxes, 1, |a, work| { tokio::join!(Box::pin(a(work.clone())), a(work).boxed()) });
    test!(join_in_a_call, 2, |a, work| {
        // The wait is inside one call, and beside two others.
        let three = async { tokio::join!(a(work.clone()), a(work.clone()), a(work)) };
        three.await
    });
}

#[test]
fn a_call_beside_a_future_that_runs_under_another() {
    static A: Limiter = Limiter::new("beside-run-a", 1);
    static B: Limiter = Limiter::new("beside-run-b", 1);
    crossed(&A, &B, |work| async {
        tokio::join!(A.run(work.done()), async { B.run(async {}).await })
    });
}

#[test]
fn a_call_beside_a_service() {
    static A: Limiter = Limiter::new("beside-tower-a", 1);
    static B: Limiter = Limiter::new("beside-tower-b", 1);
    crossed(&A, &B, |work| async {
        let inner = service_fn(|work: Work| async {
            work.done().await;
            Ok::<(), Infallible>(())
        });
        let service = ServiceBuilder::new().layer(LimitLayer::new(&A)).service(inner);
        tokio::join!(service.oneshot(work), B.acquire())
    });
}

#[test]
fn a_call_after_a_service_that_is_ready() {
    static A: Limiter = Limiter::new("beside-ready-a", 1);
    static B: Limiter = Limiter::new("beside-ready-b", 1);
    crossed(&A, &B, |work| async {
        let inner = service_fn(|()| async { Ok::<(), Infallible>(()) });
        let layer = LimitLayer::new(&A).reserving();
        let mut service = ServiceBuilder::new().layer(layer).service(inner);
        service.ready().await.expect("infallible");
        // The service is another task's from now on.
        tokio::spawn(async {
            work.done().await;
            drop(service);
        });
        B.acquire().await
    });
}

#[test]
fn a_call_after_a_task_that_was_spawned() {
    static A: Limiter = Limiter::new("beside-spawn-a", 1);
    static B: Limiter = Limiter::new("beside-spawn-b", 1);
    crossed(&A, &B, |work| async {
        let task = A.spawn(work.done()).await;
        drop(B.acquire().await);
        task.await
    });
}

#[test]
fn a_call_after_a_task_of_a_pool() {
    static A: Limiter = Limiter::new("beside-pool-a", 1);
    static B: Limiter = Limiter::new("beside-pool-b", 1);
    crossed(&A, &B, |work| async {
        let pool = Pool::over(&A);
        drop(pool.spawn(work.done()).await);
        drop(B.acquire().await);
        pool.join_all().await
    });
}

#[test]
fn a_call_beside_items_of_a_stream() {
    static A: Limiter = Limiter::new("beside-stream-a", 1);
    static B: Limiter = Limiter::new("beside-stream-b", 1);
    crossed(&A, &B, |work| async {
        let items = futures::stream::iter([work]).map_limited(&A, Work::done).unordered();
        tokio::join!(items.collect::<Vec<_>>(), B.acquire())
    });
}

#[test]
fn a_call_beside_blocking_work() {
    static A: Limiter = Limiter::new("beside-blocking-a", 1);
    static B: Limiter = Limiter::new("beside-blocking-b", 1);
    crossed(&A, &B, |work| async {
        let handle = tokio::runtime::Handle::current();
        tokio::join!(A.blocking(move || handle.block_on(work.done())), B.acquire())
    });
}

#[test]
fn a_loop_that_spawns_a_task_for_each_permit() {
    static A: Limiter = Limiter::new("beside-loop", 2);
    crowded(&A, (2, 1), |work| async move {
        for _ in 0..3 {
            let (permit, work) = (A.acquire().await, work.clone());
            tokio::spawn(async {
                work.done().await;
                drop(permit);
            });
        }
    });
}

#[test]
fn a_permit_of_a_place_of_which_another_task_has_dropped_one() {
    static A: Limiter = Limiter::new("beside-moved-a", 1);
    static B: Limiter = Limiter::new("beside-moved-b", 1);

    async fn spawn_with_permit(work: Work) {
        let permit = A.acquire().await;
        tokio::spawn(async {
            work.done().await;
            drop(permit);
        });
    }

    let runtime = runtime();
    let done = Work::new();
    done.finish();
    runtime.block_on(async {
        spawn_with_permit(done).await;
        drop(A.acquire().await);
    });
    crossed(&A, &B, |work| async {
        spawn_with_permit(work).await;
        B.acquire().await
    });
}

#[test]
fn a_body_that_moves_its_permit_elsewhere() {
    static A: Limiter = Limiter::new("beside-option-a", 1);

    #[concurrency_limit(limiter = A, permit = permit)]
    async fn spawn_with_permit(work: Work) {
        tokio::spawn(async {
            work.done().await;
            drop(permit);
        });
    }

    crowded(&A, (1, 1), |work| async {
        spawn_with_permit(work.clone()).await;
        spawn_with_permit(work).await;
    });
}

#[test]
fn a_wait_that_was_granted() {
    static A: Limiter = Limiter::new("beside-granted", 1);
    let (driven, undriven) = (
        runtime(),
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
    );
    let shared: &'static Limiter = Box::leak(Box::new(
        Limiter::new("beside-granted-b", 1)
            .scope(limit_runtime::Scope::Process)
            .claim_within(Duration::MAX),
    ));
    let work = Work::new();
    // The task of the runtime that nobody drives holds one, and has been granted the other.
    let first: Permit = shared.try_acquire().expect("free");
    let task = undriven.spawn(A.run(async { drop(shared.acquire().await) }));
    undriven.block_on(async {
        while shared.waiters().is_empty() {
            yield_now().await;
        }
    });
    drop(first);
    let waits = driven.spawn(async { drop(shared.acquire().await) });
    until_busy(shared, 0, 2);
    until_looked();
    assert!(deadlocks(A.name()).is_empty() && deadlocks(shared.name()).is_empty());
    work.finish();
    undriven.block_on(task).expect("no panic");
    until_ended(&driven, [waits]);
}

#[test]
fn a_limit_of_zero() {
    static A: Limiter = Limiter::new("beside-zero-a", 1);
    static B: Limiter = Limiter::new("beside-zero-b", 1);
    let runtime = runtime();
    B.set_limit(0);
    let one = runtime.spawn(A.run(async { drop(B.acquire().await) }));
    until_busy(&B, 0, 1);
    let other = runtime.spawn(async { drop(A.acquire().await) });
    until_busy(&A, 1, 1);
    until_looked();
    assert!(deadlocks(A.name()).is_empty() && deadlocks(B.name()).is_empty());
    B.set_limit(1);
    until_ended(&runtime, [one, other]);
}

#[test]
fn a_wait_for_a_permit_that_a_ramp_lets_in_later() {
    static A: Limiter = Limiter::new("beside-ramp", 2).ramp(Duration::from_secs(3_600));
    let runtime = runtime();
    let task = runtime.spawn(A.run(async { drop(A.acquire().await) }));
    until_busy(&A, 1, 1);
    for _ in 0..2 {
        until_looked();
        assert!(deadlocks(A.name()).is_empty(), "the second permit comes with time");
    }
    // So many that some of them are let in by now.
    A.set_limit(1_000_000);
    until_ended(&runtime, [task]);
}
