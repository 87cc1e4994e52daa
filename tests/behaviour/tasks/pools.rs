//! `Pool`: tasks that are spawned one by one.

use super::{Work, ms, settle};
use limit_runtime::task::{OnDrop, Pool};
use limit_runtime::{Limiter, RejectedKind};
use limit_tests::figures::assert_all_free;
use limit_tests::occupancy::Inside;
use limit_tests::polling::{served, waiter};
use limit_tests::runtimes::{one_thread, workers};
use std::collections::{HashSet, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::oneshot;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn whoever_spawns_waits_while_all_places_are_taken() {
    let (pool, work) = (Pool::new(3), Work::default());
    let start = Instant::now();
    for n in 0..9 {
        pool.spawn(work.clone().take(ms(10))).await;
        assert_eq!(start.elapsed(), ms(10 * (n / 3)), "after {n}");
    }
    assert_eq!(pool.len(), 3);
    pool.join_all().await.expect("nobody panicked");
    assert_eq!((work.most(), work.ended(), pool.len()), (3, 9, 0));
    assert_eq!(start.elapsed(), ms(30), "as long as the last one takes");
    assert_all_free(pool.limiter());
}

#[tokio::test]
async fn a_task_gives_its_output_to_whoever_wants_it() {
    let pool = Pool::new(2);
    let task = pool.spawn(async { "output" }).await;
    assert_eq!(task.await.expect("it does not panic"), "output");
    pool.join_all().await.expect("nobody panicked");
}

#[tokio::test(start_paused = true)]
async fn join_all_waits_for_the_last_also_if_some_panicked_and_says_so() {
    let (pool, work) = (Pool::new(4), Work::default());
    for n in 0..8_u64 {
        let work = work.clone();
        let task = async move {
            work.take(ms(10 * n)).await;
            assert!(n % 3 != 0, "task {n} has no paper");
        };
        pool.spawn(task).await;
    }
    let panicked = pool.join_all().await.unwrap_err();
    assert_eq!(work.ended(), 8);
    assert_eq!(panicked.count(), 3);
    assert_eq!(panicked.messages(), [0, 3, 6].map(|n| format!("task {n} has no paper")));
    let pool_name = pool.limiter().name();
    assert_eq!(
        panicked.to_string(),
        format!(
            "3 tasks of pool `{pool_name}` panicked: task 0 has no paper, task 3 has no paper, \
             task 6 has no paper"
        )
    );
    pool.join_all().await.expect("they are reported once");
    assert_all_free(pool.limiter());
}

#[tokio::test]
async fn a_panic_is_reported_whether_or_not_the_handle_was_looked_at() {
    let pool = Pool::new(1);
    let task = pool.spawn(async { std::panic::panic_any(7_u8) }).await;
    let panic = task.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<u8>(), Some(&7), "the handle has what it panicked with");
    let panicked = pool.join_all().await.unwrap_err();
    assert_eq!(panicked.messages(), ["no message"]);
}

#[tokio::test]
async fn a_panic_while_a_future_is_dropped_is_reported_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    let pool = Pool::new(1);
    let bomb = Bomb;
    pool.spawn(std::future::poll_fn(move |_| {
        let _owned = &bomb;
        std::task::Poll::Ready(())
    }))
    .await;
    assert_eq!(pool.join_all().await.unwrap_err().messages(), ["in drop"]);
    assert_all_free(pool.limiter());
}

#[tokio::test]
async fn a_thousand_panics_take_no_memory_for_a_thousand_messages() {
    let pool = Pool::new(10);
    for n in 0..1_000 {
        pool.spawn(async move { panic!("{n}") }).await;
    }
    let panicked = pool.join_all().await.unwrap_err();
    assert_eq!((panicked.count(), panicked.messages().len()), (1_000, 16));
    assert!(panicked.to_string().ends_with(", …"), "{panicked}");
}

#[tokio::test(start_paused = true)]
async fn dropping_it_cancels_its_tasks() {
    let (pool, work) = (Pool::new(2), Work::default());
    pool.spawn(work.clone().take(ms(10))).await;
    let task = pool.spawn(work.clone().take(ms(10))).await;
    settle().await;
    assert_eq!(work.now(), 2);
    drop(pool);
    assert!(task.await.unwrap_err().is_cancelled());
    settle().await;
    assert_eq!((work.now(), work.ended()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn dropping_it_lets_them_go_on_if_so_chosen() {
    let limiter = Arc::new(Limiter::new("pool-detached", 2));
    let (pool, work) = (Pool::over(&limiter).on_drop(OnDrop::Detach), Work::default());
    pool.spawn(work.clone().take(ms(10))).await;
    let task = pool.spawn(work.clone().take(ms(10))).await;
    drop(pool);
    task.await.expect("it is neither cancelled nor panics");
    settle().await;
    assert_eq!(work.ended(), 2);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn all_can_be_cancelled_and_waited_for() {
    /// On its drop, adds up how many permits are in use.
    struct Place(Arc<Pool>, Arc<AtomicUsize>);
    impl Drop for Place {
        fn drop(&mut self) {
            self.1.fetch_add(self.0.limiter().snapshot().total.in_use, Ordering::SeqCst);
        }
    }

    let pool = Arc::new(Pool::new(2));
    let in_use = Arc::new(AtomicUsize::new(0));
    for begun in [true, false] {
        let place = Place(Arc::clone(&pool), Arc::clone(&in_use));
        pool.spawn(async move {
            let _place = place;
            pending::<()>().await;
        })
        .await;
        if begun {
            settle().await;
        }
    }
    pool.abort_all();
    pool.join_all().await.expect("to be cancelled is no panic");
    assert_eq!(in_use.load(Ordering::SeqCst), 3, "a future goes before its place: 2 and then 1");
    assert_all_free(pool.limiter());
    assert!(pool.is_empty());
    let task = pool.spawn(async { "again" }).await;
    assert_eq!(task.await.expect("the pool can be used again"), "again");
}

#[tokio::test]
async fn a_spawn_that_is_dropped_while_it_waits_has_spawned_nothing() {
    let pool = Pool::new(1);
    let (end, ended) = oneshot::channel::<()>();
    pool.spawn(async { ended.await.is_ok() }).await;
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    drop(waiter(pool.spawn(async move { drop(inside) })));
    assert_eq!((Arc::strong_count(&held), pool.len()), (1, 1));
    end.send(()).expect("the task waits for it");
    pool.join_all().await.expect("nobody panicked");
    assert_all_free(pool.limiter());
}

#[tokio::test]
async fn join_all_that_is_dropped_loses_nothing() {
    let pool = Pool::new(2);
    let (end, ended) = oneshot::channel::<()>();
    pool.spawn(async { panic!("reported later") }).await;
    pool.spawn(async { ended.await.is_ok() }).await;
    drop(waiter(pool.join_all()));
    end.send(()).expect("the task waits for it");
    let panicked = pool.join_all().await.unwrap_err();
    assert_eq!(panicked.messages(), ["reported later"]);
}

#[tokio::test(start_paused = true)]
async fn tasks_may_spawn_others_and_join_all_waits_for_them_too() {
    let (pool, work) = (Arc::new(Pool::new(3)), Work::default());
    let (inner, inner_work) = (Arc::clone(&pool), work.clone());
    pool.spawn(async move {
        inner_work.clone().take(ms(10)).await;
        inner.spawn(inner_work.take(ms(50))).await;
    })
    .await;
    pool.join_all().await.expect("nobody panicked");
    assert_eq!(work.ended(), 2);
}

#[tokio::test(start_paused = true)]
async fn places_are_permits_of_a_limiter_with_all_that_it_can() {
    static LIMITER: Limiter = Limiter::new("pool-limiter", 1);
    let (pool, work) = (Pool::over(&LIMITER), Work::default());
    let permit = LIMITER.acquire().await;
    let mut spawned = waiter(pool.spawn(work.clone().take(ms(10))));
    drop(permit);
    served(&mut spawned);
    pool.limiter().set_limit(3);
    pool.spawn(work.clone().take(ms(10))).await;
    pool.spawn(work.clone().take(ms(10))).await;
    pool.join_all().await.expect("nobody panicked");
    assert_eq!(work.most(), 3);

    let refusing = Pool::over(Limiter::new("pool-refusing", 1).max_waiting(0));
    refusing.spawn(pending::<()>()).await.expect("a place is free");
    let refused = refusing.spawn(pending::<()>()).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), RejectedKind::QueueFull);
    assert_eq!(refusing.len(), 1);
}

#[tokio::test]
async fn a_pool_is_on_the_list_of_limiters_while_it_lives() {
    let pool = Pool::over(Limiter::named("pool-on-the-list", 4));
    pool.spawn(async {}).await;
    assert_eq!(limit_runtime::find("pool-on-the-list").expect("it has been used").limit(), Some(4));
    drop(pool);
    assert!(limit_runtime::find("pool-on-the-list").is_none());
}

#[test]
fn on_many_threads_no_task_is_left_when_join_all_returns() {
    workers(4).block_on(async {
        let (pool, inside) = (Arc::new(Pool::new(8)), Arc::new(Inside::new()));
        for _ in 0..200 {
            let producers = [(); 4].map(|()| {
                let (pool, inside) = (Arc::clone(&pool), Arc::clone(&inside));
                tokio::spawn(async move {
                    for n in 0..10 {
                        let inside = Arc::clone(&inside);
                        let task = async move {
                            let _inside = inside.enter();
                            tokio::task::yield_now().await;
                        };
                        let task = pool.spawn(task).await;
                        if n % 3 == 0 {
                            task.abort();
                        }
                    }
                })
            });
            for producer in producers {
                producer.await.expect("it does not panic");
            }
            pool.join_all().await.expect("nobody panicked");
            assert_eq!((pool.len(), inside.now()), (0, 0));
            assert_eq!(pool.limiter().snapshot().total.in_use, 0);
        }
        assert!(inside.most() <= 8);
    });
}

#[test]
fn a_runtime_that_goes_takes_its_tasks_along() {
    let pool = Pool::new(2);
    let runtime = one_thread();
    runtime.block_on(async {
        pool.spawn(pending::<()>()).await;
        pool.spawn(pending::<()>()).await;
    });
    assert_eq!(pool.len(), 2);
    drop(runtime);
    assert_eq!(pool.len(), 0);
    one_thread().block_on(async {
        pool.join_all().await.expect("nobody panicked");
        pool.spawn(async {}).await;
        pool.join_all().await.expect("nobody panicked");
    });
}

#[test]
fn it_crosses_threads() {
    fn owned<T: Send + Sync + std::fmt::Debug + 'static>() {}
    fn sent<T: Send>(_: &T) {}
    owned::<(Pool, Pool<limit_runtime::Rejected>, limit_runtime::task::Panicked)>();
    let pool = Pool::new(1);
    sent(&pool.spawn(async {}));
    sent(&pool.join_all());
}

#[test]
fn a_task_that_has_just_begun_is_aborted_with_all_others() {
    workers(4).block_on(async {
        for _ in 0..500 {
            let pool = Arc::new(Pool::new(1));
            let inside = Arc::clone(&pool);
            let task = pool.spawn(async move {
                inside.abort_all();
                drop(inside);
                pending::<()>().await;
            });
            assert!(task.await.await.unwrap_err().is_cancelled());
            pool.join_all().await.expect("to be cancelled is no panic");
        }
    });
}

#[tokio::test]
async fn a_future_is_in_the_future_of_spawn_once() {
    let pool = Pool::new(1);
    let bytes = [0_u8; 4096];
    let spawn = size_of_val(&pool.spawn(async move {
        tokio::task::yield_now().await;
        bytes.len()
    }));
    assert!(spawn < 4096 + 256, "{spawn}");
}

#[tokio::test]
async fn a_loop_that_only_spawns_lets_the_tasks_run() {
    let (pool, done) = (Pool::new(1_000_000), Arc::new(AtomicUsize::new(0)));
    for _ in 0..1_000 {
        let done = Arc::clone(&done);
        pool.spawn(async move { done.fetch_add(1, Ordering::SeqCst) }).await;
    }
    assert!(done.load(Ordering::SeqCst) > 0, "none of 1,000 has run");
}

/// A pool for each request must not add a name each time: each name is a row of the console and a
/// series of each exporter.
#[tokio::test]
async fn pools_that_come_and_go_have_few_names() {
    let mut alive = VecDeque::new();
    let mut names = HashSet::new();
    for request in 0..2_000 {
        let pool = Pool::new(3);
        assert_eq!(pool.spawn(async move { request }).await.await.expect("no panic"), request);
        names.insert(pool.limiter().name().to_owned());
        assert!(pool.limiter().snapshot().warnings.is_empty(), "nobody can name it otherwise");
        alive.push_back(pool);
        if alive.len() == 3 {
            alive.pop_front();
        }
    }
    // The pools of other tests have names of this kind too.
    assert!(names.len() < 50, "{} names", names.len());
}
