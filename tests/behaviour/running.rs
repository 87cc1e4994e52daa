//! A future under a permit: `run` and `spawn`.

use futures::stream::{self, StreamExt};
use limit_runtime::task::Pool;
use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::polling::{assert_waits, served, waiter};
use limit_tests::runtimes::workers;
use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::oneshot;
use tokio_test::{assert_pending, assert_ready, task};

#[tokio::test]
async fn a_future_runs_with_the_permit_and_its_output_passes_through() {
    let limiter = Limiter::new("run-output", 2);
    let in_use = limiter.run(async { total(&limiter).in_use }).await;
    assert_eq!(in_use, 1);
    assert_all_free(&limiter);
}

#[tokio::test]
async fn a_future_is_not_polled_before_it_has_the_permit() {
    let limiter = Limiter::new("run-polled", 1);
    let polled = Cell::new(false);
    let permit = limiter.acquire().await;
    let mut call = waiter(limiter.run(async { polled.set(true) }));
    assert_waits(&mut call);
    assert!(!polled.get());
    drop(permit);
    served(&mut call);
    assert!(polled.get());
    assert_all_free(&limiter);
}

#[tokio::test]
async fn the_permit_is_held_until_the_future_is_dropped() {
    /// On its drop, notes how many permits are in use.
    struct InUse<'a>(&'a Limiter, Rc<Cell<usize>>);
    impl Drop for InUse<'_> {
        fn drop(&mut self) {
            self.1.set(total(self.0).in_use);
        }
    }

    let limiter = Limiter::new("run-dropped", 1);
    let seen = Rc::new(Cell::new(0));
    let guard = InUse(&limiter, Rc::clone(&seen));
    limiter
        .run(async move {
            let _guard = guard;
        })
        .await;
    assert_eq!(seen.take(), 1, "when it is done");

    let guard = InUse(&limiter, Rc::clone(&seen));
    let mut call = task::spawn(limiter.run(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    assert_pending!(call.poll());
    drop(call);
    assert_eq!(seen.take(), 1, "when it is cancelled");
    assert_all_free(&limiter);
}

#[tokio::test]
async fn a_call_that_is_refused_has_not_polled_its_future() {
    let limiter = Limiter::new("run-refused", 1).max_waiting(0);
    let permit = limiter.try_acquire().expect("a permit is free");
    let refused = limiter.run(async { unreachable!("it is not polled") }).await;
    assert_eq!(refused.unwrap_err().kind(), RejectedKind::QueueFull);
    let refused = limiter.spawn(async { unreachable!("it is not spawned") }).await;
    assert_eq!(refused.map(|_| ()).unwrap_err().kind(), RejectedKind::QueueFull);
    drop(permit);
    assert_eq!(limiter.run(async { 7 }).await.expect("a permit is free"), 7);
}

#[tokio::test]
async fn what_a_call_asks_for_holds_for_what_it_runs() {
    let limiter = Limiter::new("run-asked", 3);
    let heavy = limiter.acquire().weight(3).run(async { total(&limiter).in_use }).await;
    assert_eq!(heavy.expect("all are free"), 3);

    let keyed: KeyedLimiter = Limiter::new("run-keyed", 1).keyed();
    let other = keyed.key(1).acquire().run(keyed.key(2).acquire().run(async { "both" })).await;
    assert_eq!(other, "both");
    let mut same = task::spawn(keyed.key(1).acquire().run(keyed.key(1).acquire().run(async {})));
    assert_pending!(same.poll(), "it waits for itself");
}

#[tokio::test]
async fn whoever_spawns_waits_for_a_permit_and_the_task_holds_it() {
    let limiter = Limiter::new("spawn-waits", 1);
    let (end, ended) = oneshot::channel::<()>();
    let first = limiter.spawn(async { ended.await.is_ok() }).await;
    let mut second = waiter(limiter.spawn(async { "second" }));
    assert_figures(&limiter, 1, 1);
    end.send(()).expect("the task waits for it");
    assert!(first.await.expect("it does not panic"));
    let second = served(&mut second);
    assert_eq!(second.await.expect("it does not panic"), "second");
    assert_all_free(&limiter);
}

#[tokio::test]
async fn a_task_that_is_aborted_or_panics_gives_its_permit_back() {
    let limiter = Limiter::new("spawn-gives-back", 2);
    let aborted = limiter.spawn(pending::<()>()).await;
    let panicked = limiter.spawn(async { panic!("as it must") }).await;
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    assert!(panicked.await.unwrap_err().is_panic());
    assert_all_free(&limiter);
}

#[tokio::test]
async fn a_spawn_that_is_dropped_while_it_waits_has_spawned_nothing() {
    let limiter = Limiter::new("spawn-dropped", 1);
    let permit = limiter.acquire().await;
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    let call = waiter(limiter.spawn(async move { drop(inside) }));
    drop(call);
    assert_eq!(Arc::strong_count(&held), 1, "the future is dropped");
    drop(permit);
    assert_all_free(&limiter);
}

#[test]
fn they_are_send_if_the_future_is() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    fn of_any<E: limit_runtime::Admission>(limiter: &Limiter<E>) {
        drop(sent(limiter.run(async { 1 })));
        drop(sent(limiter.spawn(async { 1 })));
    }

    let plain = Limiter::new("run-send", 1);
    let refusing: Limiter<Rejected> = Limiter::new("run-send", 1).max_waiting(1);
    of_any(&plain);
    of_any(&refusing);
    // A future that is not `Send` runs too.
    let rc = Rc::new(7);
    let mut call = task::spawn(plain.run(async { *rc }));
    assert_eq!(assert_ready!(call.poll()), 7);
}

#[test]
fn they_are_send_over_closures_that_borrow_too() {
    async fn in_place(limiter: Arc<Limiter>, names: Arc<Vec<String>>) {
        let lengths = || stream::iter(names.iter().map(|name| name.len() + 1)).collect::<Vec<_>>();
        limiter.run(lengths()).await;
        limiter.acquire().run(lengths()).await;
    }

    async fn spawned(limiter: Arc<Limiter>, names: &'static [String]) {
        let lengths = || stream::iter(names.iter().map(|name| name.len() + 1)).collect::<Vec<_>>();
        drop(limiter.spawn(lengths()).await);
        drop(limiter.acquire().spawn(lengths()).await);
        drop(Pool::over(&limiter).spawn(lengths()).await);
    }

    fn sent<T: Send>(value: T) -> T {
        value
    }
    let limiter = Arc::new(Limiter::new("run-send-borrowed", 1));
    drop(sent(in_place(Arc::clone(&limiter), Arc::default())));
    drop(sent(spawned(limiter, &[])));
}

/// On its drop, notes how many permits are in use.
struct InUse(&'static Limiter, Arc<AtomicUsize>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.1.store(total(self.0).in_use, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_task_that_is_aborted_before_its_first_poll_is_dropped_before_its_permit() {
    static LIMITER: Limiter = Limiter::new("spawn-unpolled", 1);
    let seen = Arc::new(AtomicUsize::new(0));
    let guard = InUse(&LIMITER, Arc::clone(&seen));
    let task = LIMITER.spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    let task = task.await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    assert_all_free(&LIMITER);
}

#[tokio::test]
async fn a_future_is_in_what_runs_it_once() {
    fn plain() -> impl Future<Output = usize> + Send + 'static {
        let bytes = [0_u8; 4096];
        async move {
            tokio::task::yield_now().await;
            bytes.len()
        }
    }

    static LIMITER: Limiter = Limiter::new("run-size", 1);
    let alone = size_of_val(&plain());
    let run = size_of_val(&LIMITER.run(plain()));
    let spawn = size_of_val(&LIMITER.spawn(plain()));
    assert!(run < alone + 256, "{run} for {alone}");
    assert!(spawn < alone + 256, "{spawn} for {alone}");
}

#[tokio::test]
async fn a_loop_that_only_spawns_lets_other_tasks_run() {
    static LIMITER: Limiter = Limiter::new("spawn-yields", 1_000_000);
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..1_000 {
        let done = Arc::clone(&done);
        drop(
            LIMITER
                .spawn(async move {
                    done.fetch_add(1, Ordering::SeqCst);
                })
                .await,
        );
    }
    assert!(done.load(Ordering::SeqCst) > 0, "none of 1,000 has run");
}

#[test]
fn a_runtime_with_an_endless_loop_that_spawns_shuts_down() {
    static LIMITER: Limiter = Limiter::new("spawn-endless", 3);
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..10 {
            let runtime = workers(4);
            runtime.block_on(async {
                tokio::spawn(async {
                    loop {
                        drop(LIMITER.spawn(tokio::task::yield_now()).await);
                    }
                });
                // Waits until the task is in the middle of its work.
                let calls = || {
                    let total = total(&LIMITER);
                    total.admitted_at_once + total.admitted_after_waiting
                };
                let before = calls();
                while calls() < before + 100 {
                    tokio::task::yield_now().await;
                }
            });
        }
        ended.send(()).expect("the test waits");
    });
    end.recv_timeout(std::time::Duration::from_secs(60)).expect("it hangs");
}
