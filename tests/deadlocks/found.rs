//! Deadlocks that are found.

use crate::support::{Work, deadlocks, runtime, until_busy, until_ended, until_found};
use limit_runtime::diagnostics::{Call, StuckCall};
use limit_runtime::tower::LimitLayer;
use limit_runtime::{KeyedLimiter, Limiter, blocking_acquire_all, concurrency_limit, find};
use limit_tests::watchdog::until;
use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::yield_now;
use tower::{ServiceBuilder, ServiceExt, service_fn};

#[test]
fn two_functions_that_call_each_other_under_two_limits() {
    #[concurrency_limit(1, name = "found-a")]
    async fn a(both: Arc<Barrier>, is_outer: bool) {
        if is_outer {
            both.wait().await;
            Box::pin(b(both, false)).await;
        }
    }

    #[concurrency_limit(1, name = "found-b")]
    async fn b(both: Arc<Barrier>, is_outer: bool) {
        if is_outer {
            both.wait().await;
            Box::pin(a(both, false)).await;
        }
    }

    let runtime = runtime();
    let both = Arc::new(Barrier::new(2));
    let tasks = [runtime.spawn(a(Arc::clone(&both), true)), runtime.spawn(b(both, true))];
    let deadlock = until_found("found-a");
    assert_eq!(deadlock.calls().len(), 2, "{deadlock}");
    assert!(!deadlock.is_reentry());
    assert!(deadlock.age() >= Duration::from_secs(1));
    let text = deadlock.to_string();
    let ids = tasks.each_ref().map(|task| Some(task.id()));
    for stuck in deadlock.calls() {
        let [holder] = stuck.holders() else { panic!("one holds it: {text}") };
        assert_eq!(holder.limiter(), stuck.call().limiter());
        assert_ne!(holder.task(), stuck.call().task());
        assert!(ids.contains(&holder.task()) && ids.contains(&stuck.call().task()), "{text}");
        assert!(text.contains(&holder.place().to_string()), "{text}");
    }
    tasks[0].abort();
    until("it is resolved", || deadlocks("found-a").is_empty());
    let [_, other] = tasks;
    until_ended(&runtime, [other]);
}

#[test]
fn two_functions_without_a_box_between_them() {
    static A: Limiter = Limiter::new("found-flat-a", 1);
    static B: Limiter = Limiter::new("found-flat-b", 1);

    #[concurrency_limit(limiter = A)]
    async fn a() {}

    #[concurrency_limit(limiter = B)]
    async fn b() {}

    #[concurrency_limit(limiter = A)]
    async fn a_then_b(both: Arc<Barrier>) {
        both.wait().await;
        b().await;
    }

    #[concurrency_limit(limiter = B)]
    async fn b_then_a(both: Arc<Barrier>) {
        both.wait().await;
        a().await;
    }

    let runtime = runtime();
    let both = Arc::new(Barrier::new(2));
    runtime.spawn(a_then_b(Arc::clone(&both)));
    runtime.spawn(b_then_a(both));
    assert_eq!(until_found(A.name()).calls().len(), 2);
}

#[test]
fn a_call_that_grows_and_one_that_waits_elsewhere_for_it() {
    static MEMORY: Limiter = Limiter::new("found-grows", 3);
    static DISK: Limiter = Limiter::new("found-grows-disk", 1);

    async fn grow(both: Arc<Barrier>) {
        let _disk = DISK.acquire().await;
        let mut memory = MEMORY.acquire().await;
        both.wait().await;
        // One is free, and the other call has the second.
        memory.resize(3).await.expect("it waits");
    }

    async fn write(both: Arc<Barrier>) {
        let _memory = MEMORY.acquire().await;
        both.wait().await;
        drop(DISK.acquire().await);
    }

    let runtime = runtime();
    let both = Arc::new(Barrier::new(2));
    let tasks = [runtime.spawn(grow(Arc::clone(&both))), runtime.spawn(write(both))];
    let deadlock = until_found(MEMORY.name());
    assert_eq!(deadlock.calls().len(), 2, "{deadlock}");
    assert_eq!(MEMORY.waiters().iter().map(Call::weight).collect::<Vec<_>>(), [2]);
    let [growing, other] = tasks;
    growing.abort();
    until_ended(&runtime, [other]);
}

#[test]
fn a_call_of_a_key_that_grows_and_one_that_waits_elsewhere_for_it() {
    static MEMORY: KeyedLimiter = Limiter::new("found-key-grows", 3).keyed();
    static DISK: Limiter = Limiter::new("found-key-grows-disk", 1);

    async fn grow(both: Arc<Barrier>) {
        let _disk = DISK.acquire().await;
        let mut memory = MEMORY.key("a").acquire().await;
        both.wait().await;
        memory.resize(3).await.expect("it waits");
    }

    async fn write(both: Arc<Barrier>) {
        let _memory = MEMORY.key("a").acquire().await;
        both.wait().await;
        drop(DISK.acquire().await);
    }

    let runtime = runtime();
    let both = Arc::new(Barrier::new(2));
    let tasks = [runtime.spawn(grow(Arc::clone(&both))), runtime.spawn(write(both))];
    let deadlock = until_found(DISK.name());
    assert_eq!(deadlock.calls().len(), 2, "{deadlock}");
    let [growing, other] = tasks;
    growing.abort();
    until_ended(&runtime, [other]);
}

/// One permit of the total is free, and the growing call keeps it from the calls of all keys.
#[test]
fn a_call_of_another_key_that_waits_behind_one_that_grows() {
    static MEMORY: KeyedLimiter = Limiter::new("found-behind-grows", 4).keyed().total(4);
    static DISK: Limiter = Limiter::new("found-behind-grows-disk", 1);

    async fn grow(all: Arc<Barrier>) {
        let mut memory = MEMORY.key("a").acquire().await;
        all.wait().await;
        memory.resize(3).await.expect("it waits");
    }

    async fn write(all: Arc<Barrier>) {
        let _memory = MEMORY.key("b").acquire().weight(2).await.expect("it is not too heavy");
        all.wait().await;
        drop(DISK.acquire().await);
    }

    async fn read(all: Arc<Barrier>) {
        let _disk = DISK.acquire().await;
        all.wait().await;
        while MEMORY.waiters().is_empty() {
            yield_now().await;
        }
        drop(MEMORY.key("c").acquire().await);
    }

    let runtime = runtime();
    let all = Arc::new(Barrier::new(3));
    let growing = runtime.spawn(grow(Arc::clone(&all)));
    let others = [runtime.spawn(write(Arc::clone(&all))), runtime.spawn(read(all))];
    let deadlock = until_found(DISK.name());
    assert_eq!(deadlock.calls().len(), 3, "{deadlock}");
    let behind = deadlock.calls().iter().filter_map(StuckCall::behind).map(Call::limiter);
    assert_eq!(behind.collect::<Vec<_>>(), ["found-behind-grows"], "{deadlock}");
    growing.abort();
    until_ended(&runtime, others);
}

#[test]
fn a_function_under_two_limits_and_one_under_the_same_in_the_other_order() {
    static A: Limiter = Limiter::new("found-both-a", 1);
    static B: Limiter = Limiter::new("found-both-b", 1);

    #[concurrency_limit(limiter = A)]
    #[concurrency_limit(limiter = B)]
    async fn a_then_b() {}

    #[concurrency_limit(limiter = B)]
    #[concurrency_limit(limiter = A)]
    async fn b_then_a() {}

    let runtime = runtime();
    // Each waits for its first permit before there is one.
    let context = runtime.enter();
    let [a, b] = [&A, &B].map(|limiter| limiter.try_acquire().expect("free"));
    runtime.spawn(a_then_b());
    runtime.spawn(b_then_a());
    until_busy(&A, 1, 1);
    until_busy(&B, 1, 1);
    drop((a, b, context));
    assert_eq!(until_found(A.name()).calls().len(), 2);
}

#[test]
fn three_limits_in_a_circle() {
    static LIMITERS: [Limiter; 3] =
        [Limiter::new("found-3a", 1), Limiter::new("found-3b", 1), Limiter::new("found-3c", 1)];
    let (runtime, all) = (runtime(), Arc::new(Barrier::new(3)));
    for number in 0..3 {
        let all = Arc::clone(&all);
        runtime.spawn(LIMITERS[number].run(async move {
            all.wait().await;
            drop(LIMITERS[(number + 1) % 3].acquire().await);
        }));
    }
    // One that waits for them, and for which none of them waits.
    until_busy(&LIMITERS[0], 1, 1);
    runtime.spawn(LIMITERS[0].run(async {}));
    until_busy(&LIMITERS[0], 1, 2);
    let deadlock = until_found("found-3a");
    assert_eq!((deadlock.calls().len(), deadlock.victims()), (3, 1), "{deadlock}");
    // Each waits for the next.
    for (number, stuck) in deadlock.calls().iter().enumerate() {
        let next = &deadlock.calls()[(number + 1) % 3];
        assert_eq!(stuck.holders()[0].task(), next.call().task(), "{deadlock}");
    }
}

#[test]
fn as_many_calls_as_the_limit_that_each_want_one_more() {
    static A: Limiter = Limiter::new("found-one-more", 3);

    #[concurrency_limit(limiter = A)]
    async fn outer(all: Arc<Barrier>) {
        all.wait().await;
        inner().await;
    }

    #[concurrency_limit(limiter = A)]
    async fn inner() {}

    let (runtime, all) = (runtime(), Arc::new(Barrier::new(3)));
    for _ in 0..3 {
        runtime.spawn(outer(Arc::clone(&all)));
    }
    let deadlock = until_found(A.name());
    assert!(!deadlock.is_reentry());
    assert_eq!(deadlock.calls()[0].holders().len(), 3, "{deadlock}");
}

mod reentry {
    use super::*;

    /// A call whose task holds the permits that it waits for.
    fn is_found(limiter: &str) {
        let deadlock = until_found(limiter);
        assert!(deadlock.is_reentry(), "{deadlock}");
        assert_eq!(deadlock.calls().len(), 1, "{deadlock}");
        let text = deadlock.to_string();
        assert!(text.starts_with("a call waits for permits that its own task holds"), "{text}");
    }

    #[test]
    fn of_a_function_that_calls_itself() {
        #[concurrency_limit(2, name = "reentry-itself")]
        async fn walk(depth: u32) {
            if depth > 0 {
                Box::pin(walk(depth - 1)).await;
            }
        }

        let runtime = runtime();
        runtime.block_on(walk(1));
        runtime.spawn(walk(2));
        is_found("reentry-itself");
    }

    #[test]
    fn of_a_function_that_calls_itself_as_a_trait_object() {
        #[concurrency_limit(1, name = "reentry-dyn")]
        fn walk(depth: u32) -> futures::future::BoxFuture<'static, ()> {
            Box::pin(async move {
                if depth > 0 {
                    walk(depth - 1).await;
                }
            })
        }

        let runtime = runtime();
        runtime.spawn(walk(1));
        is_found("reentry-dyn");
    }

    #[test]
    fn of_a_function_that_another_one_calls_in_between() {
        #[concurrency_limit(1, name = "reentry-between")]
        async fn outer(depth: u32) {
            if depth > 0 {
                between(depth - 1).await;
            }
        }

        async fn between(depth: u32) {
            Box::pin(outer(depth)).await;
        }

        let runtime = runtime();
        runtime.spawn(outer(1));
        is_found("reentry-between");
    }

    #[test]
    fn of_two_functions_under_one_limit() {
        static A: Limiter = Limiter::new("reentry-two", 1);

        #[concurrency_limit(limiter = A)]
        async fn outer() {
            inner().await;
        }

        #[concurrency_limit(limiter = A)]
        async fn inner() {}

        let runtime = runtime();
        runtime.spawn(outer());
        is_found(A.name());
    }

    #[test]
    fn of_futures_that_run_under_one_limit() {
        static A: Limiter = Limiter::new("reentry-run", 1);
        let runtime = runtime();
        runtime.spawn(A.run(async { A.run(async {}).await }));
        is_found(A.name());
    }

    #[test]
    fn of_a_task_that_was_spawned_with_a_permit() {
        static A: Limiter = Limiter::new("reentry-spawn", 1);
        let runtime = runtime();
        runtime.spawn(async { A.spawn(async { drop(A.acquire().await) }).await.await });
        is_found(A.name());
    }

    #[test]
    fn of_a_service() {
        static A: Limiter = Limiter::new("reentry-tower", 1);
        let runtime = runtime();
        let inner = service_fn(|()| async {
            drop(A.acquire().await);
            Ok::<(), Infallible>(())
        });
        let service = ServiceBuilder::new().layer(LimitLayer::new(&A)).service(inner);
        runtime.spawn(service.oneshot(()));
        is_found(A.name());
    }

    #[test]
    fn of_permits_that_the_program_holds() {
        static A: Limiter = Limiter::new("reentry-bare", 1);
        let runtime = runtime();
        runtime.spawn(async {
            let permit = A.acquire().await;
            drop(A.acquire().await);
            drop(permit);
        });
        is_found(A.name());
    }

    #[test]
    fn outside_any_task() {
        static A: Limiter = Limiter::new("reentry-thread", 1);
        static B: Limiter = Limiter::new("reentry-block-on", 1);
        limit_runtime::diagnostics::record(true);
        thread::spawn(|| {
            let permit = A.blocking_acquire();
            drop(A.blocking_acquire());
            drop(permit);
        });
        is_found(A.name());
        thread::spawn(|| runtime().block_on(B.run(async { drop(B.acquire().await) })));
        is_found(B.name());
    }

    #[test]
    fn of_a_key_beside_another_key() {
        static A: KeyedLimiter = Limiter::new("reentry-keyed", 1).keyed();

        #[concurrency_limit(limiter = A, key = key)]
        async fn visit(key: &'static str, work: Work) {
            work.done().await;
            Box::pin(visit(key, Work::new())).await;
        }

        let (runtime, work) = (runtime(), Work::new());
        work.finish();
        runtime.spawn(visit("other", Work::new()));
        runtime.spawn(visit("stuck", work));
        let deadlock = until_found(A.name());
        assert_eq!(deadlock.calls()[0].key(), Some("stuck"));
        is_found(A.name());
    }
}

#[test]
fn a_total_over_all_keys() {
    static A: KeyedLimiter = Limiter::new("found-total", 2).keyed().total(2);
    let (runtime, both) = (runtime(), Arc::new(Barrier::new(2)));
    for key in [1, 2] {
        let both = Arc::clone(&both);
        runtime.spawn(A.key(key).acquire().run(async move {
            both.wait().await;
            drop(A.key(key + 2).acquire().await);
        }));
    }
    let deadlock = until_found(A.name());
    assert_eq!(deadlock.calls()[0].holders().len(), 2, "{deadlock}");
}

#[test]
fn a_reader_that_reads_again_behind_a_writer() {
    static A: Limiter = Limiter::new("found-reader", 10);
    let (runtime, work) = (runtime(), Work::new());
    let reads = work.clone();
    runtime.spawn(A.run(async {
        reads.done().await;
        drop(A.acquire().await);
    }));
    until_busy(&A, 1, 0);
    runtime.spawn(async { drop(A.acquire_many(10).await) });
    until_busy(&A, 1, 1);
    work.finish();
    let deadlock = until_found(A.name());
    let text = deadlock.to_string();
    let reader = deadlock.calls().iter().find(|stuck| stuck.behind().is_some());
    assert_eq!(reader.and_then(|reader| reader.behind()).map(Call::weight), Some(10), "{text}");
    assert_eq!(deadlock.calls().len(), 2, "{text}");
}

#[test]
fn two_threads_that_block() {
    static A: Limiter = Limiter::new("found-threads-a", 1);
    static B: Limiter = Limiter::new("found-threads-b", 1);
    limit_runtime::diagnostics::record(true);
    let both = Arc::new(std::sync::Barrier::new(2));
    for [first, second] in [[&A, &B], [&B, &A]] {
        let both = Arc::clone(&both);
        thread::spawn(move || {
            let _first = first.blocking_acquire();
            both.wait();
            drop(second.blocking_acquire());
        });
    }
    let deadlock = until_found(A.name());
    assert_eq!(deadlock.calls().len(), 2);
    assert!(deadlock.calls().iter().all(|stuck| stuck.call().task().is_none()));
}

#[test]
fn a_thread_that_blocks_for_several_limits() {
    static A: Limiter = Limiter::new("found-threads-all-a", 1);
    static B: Limiter = Limiter::new("found-threads-all-b", 1);
    static C: Limiter = Limiter::new("found-threads-all-c", 1);
    limit_runtime::diagnostics::record(true);
    let both = Arc::new(std::sync::Barrier::new(2));
    let other = Arc::clone(&both);
    thread::spawn(move || {
        let _first = A.blocking_acquire();
        other.wait();
        drop(blocking_acquire_all((&C, &B)));
    });
    thread::spawn(move || {
        let _first = B.blocking_acquire();
        both.wait();
        drop(A.blocking_acquire());
    });
    let deadlock = until_found(A.name());
    assert_eq!(deadlock.calls().len(), 2, "{deadlock}");
}

#[test]
fn a_thread_that_blocks_to_grow() {
    static A: Limiter = Limiter::new("found-threads-grow-a", 2);
    static B: Limiter = Limiter::new("found-threads-grow-b", 1);
    limit_runtime::diagnostics::record(true);
    let both = Arc::new(std::sync::Barrier::new(2));
    let other = Arc::clone(&both);
    thread::spawn(move || {
        let mut growing = A.blocking_acquire();
        let _second = B.blocking_acquire();
        other.wait();
        let _ = growing.blocking_resize(2);
    });
    thread::spawn(move || {
        let _first = A.blocking_acquire();
        both.wait();
        drop(B.blocking_acquire());
    });
    let deadlock = until_found(A.name());
    assert_eq!(deadlock.calls().len(), 2, "{deadlock}");
}

#[test]
fn two_functions_on_the_blocking_pool() {
    #[concurrency_limit(1, name = "found-pool-a", blocking)]
    fn a(both: &'static std::sync::Barrier, is_outer: bool) {
        if is_outer {
            both.wait();
            tokio::runtime::Handle::current().block_on(b(both, false));
        }
    }

    #[concurrency_limit(1, name = "found-pool-b", blocking)]
    fn b(both: &'static std::sync::Barrier, is_outer: bool) {
        if is_outer {
            both.wait();
            tokio::runtime::Handle::current().block_on(a(both, false));
        }
    }

    let runtime = runtime();
    let both = Box::leak(Box::new(std::sync::Barrier::new(2)));
    runtime.spawn(a(both, true));
    runtime.spawn(b(both, true));
    assert_eq!(until_found("found-pool-a").calls().len(), 2);
    // A runtime waits for its blocking threads.
    runtime.shutdown_background();
}

#[test]
fn permits_that_the_program_holds_in_two_tasks() {
    static A: Limiter = Limiter::new("found-bare-a", 1);
    static B: Limiter = Limiter::new("found-bare-b", 1);
    let (runtime, both) = (runtime(), Arc::new(Barrier::new(2)));
    for [first, second] in [[&A, &B], [&B, &A]] {
        let both = Arc::clone(&both);
        runtime.spawn(async move {
            let _first = first.acquire().await;
            both.wait().await;
            let _second = second.acquire().await;
        });
    }
    assert_eq!(until_found(A.name()).calls().len(), 2);
}

#[test]
fn a_call_that_does_something_else_for_a_time() {
    static A: Limiter = Limiter::new("found-late", 1);
    let runtime = runtime();
    runtime.spawn(A.run(async {
        let mut waits = Box::pin(A.acquire());
        for _ in 0..20 {
            let pause = tokio::time::sleep(Duration::from_millis(50));
            tokio::select! {
                _ = &mut waits => return,
                () = pause => {}
            }
        }
        drop(waits.await);
    }));
    assert!(until_found(A.name()).is_reentry());
}

#[test]
fn calls_of_several_runtimes() {
    static A: Limiter = Limiter::new("found-runtimes-a", 1).scope(limit_runtime::Scope::Process);
    static B: Limiter = Limiter::new("found-runtimes-b", 1).scope(limit_runtime::Scope::Process);
    let (runtimes, both) = ([runtime(), runtime()], Arc::new(Barrier::new(2)));
    for (runtime, [first, second]) in runtimes.iter().zip([[&A, &B], [&B, &A]]) {
        let both = Arc::clone(&both);
        runtime.spawn(first.run(async move {
            both.wait().await;
            second.run(async {}).await;
        }));
    }
    assert_eq!(until_found(A.name()).calls().len(), 2);
    assert_eq!(find("found-runtimes-b").expect("used").holders().len(), 1);
}
