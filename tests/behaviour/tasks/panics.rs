//! Code of the user that panics at a task's end: the task loses neither its output nor its permit.

use super::settle;
use futures::{FutureExt, StreamExt, stream};
use limit_runtime::Limiter;
use limit_runtime::task::{self, LimitStreamExt, Pool, local};
use limit_tests::figures::{assert_all_free, assert_figures};
use limit_tests::polling::{permit, served, waiter};
use limit_tests::wakers::{panicking, panics_when_woken};
use limit_tests::watchdog::in_time;
use std::future::{Future, poll_fn};
use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio_test::task::spawn;
use tokio_test::{assert_ready, assert_ready_ok};

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_pool_gives_its_output_although_its_permits_next_waker_panics() {
    let pool = Pool::new(1);
    let (end, ended) = oneshot::channel();
    let task = pool.spawn(async { ended.await.expect("it is told to end") }).await;
    let ghost = panics_when_woken(pool.limiter());
    end.send(7).expect("the task waits for it");
    assert_eq!(task.await.expect("the waker's panic is not the task's"), 7);
    in_time(pool.join_all()).await.expect("no task panicked");
    assert!(pool.is_empty());
    drop(ghost);
    assert_all_free(pool.limiter());
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_pool_that_panics_is_reported_although_a_waker_panics_too() {
    let pool = Pool::new(1);
    let (end, ended) = oneshot::channel::<()>();
    let task = pool.spawn(async { panic!("the task's: {}", ended.await.is_ok()) }).await;
    let ghost = panics_when_woken(pool.limiter());
    end.send(()).expect("the task waits for it");
    let panic: Result<(), _> = task.await;
    assert_eq!(
        panic.unwrap_err().into_panic().downcast_ref::<String>().map(String::as_str),
        Some("the task's: true")
    );
    let panicked = in_time(pool.join_all()).await.unwrap_err();
    assert_eq!(panicked.messages(), ["the task's: true"]);
    drop(ghost);
    assert_all_free(pool.limiter());
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_pool_that_is_aborted_is_cancelled_although_a_waker_panics() {
    let pool = Pool::new(1);
    let task = pool.spawn(std::future::pending::<()>()).await;
    let ghost = panics_when_woken(pool.limiter());
    pool.abort_all();
    assert!(task.await.unwrap_err().is_cancelled());
    in_time(pool.join_all()).await.expect("to be cancelled is no panic");
    drop(ghost);
    assert_all_free(pool.limiter());
}

#[tokio::test(start_paused = true)]
async fn a_future_and_its_output_and_a_waker_may_all_panic() {
    let pool = Pool::new(1);
    let (mut end, ended) = (Some(Bomb("in the output's drop")), Bomb("in the future's drop"));
    let task = pool.spawn(poll_fn(move |_| {
        let _of_the_future = &ended;
        Poll::Ready(end.take())
    }));
    let task = task.await;
    let ghost = panics_when_woken(pool.limiter());
    let panic = task.await.map(drop).unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("in the future's drop"));
    let panicked = in_time(pool.join_all()).await.unwrap_err();
    assert_eq!(panicked.messages(), ["in the future's drop"]);
    drop(ghost);
    assert_all_free(pool.limiter());
}

#[tokio::test(start_paused = true)]
async fn a_future_that_panics_when_polled_and_again_when_dropped_is_one_panic() {
    let pool = Pool::new(1);
    let bomb = Bomb("in the future's drop");
    let task = pool.spawn(poll_fn(move |_| -> Poll<()> {
        let _of_the_future = &bomb;
        panic!("when polled")
    }));
    assert!(task.await.await.unwrap_err().is_panic());
    let panicked = in_time(pool.join_all()).await.unwrap_err();
    assert_eq!(panicked.messages(), ["when polled"]);
    assert_all_free(pool.limiter());
}

#[tokio::test(start_paused = true)]
async fn whoever_joins_is_told_although_anothers_waker_panics() {
    let pool = Pool::new(1);
    let (end, ended) = oneshot::channel::<()>();
    let task = pool.spawn(async { ended.await.is_ok() }).await;
    let mut panics = Box::pin(pool.join_all());
    assert!(panics.as_mut().poll(&mut Context::from_waker(&panicking())).is_pending());
    // Several calls, because any of them may be woken first.
    let mut joins: Vec<_> = iter::repeat_with(|| waiter(pool.join_all())).take(20).collect();
    end.send(()).expect("the task waits for it");
    assert!(task.await.expect("the waker's panic is not the task's"));
    for join in &mut joins {
        served(join).expect("no task panicked");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_joins_does_not_keep_a_task_from_beginning() {
    let pool = Pool::new(2);
    let first = pool.spawn(std::future::pending::<()>()).await;
    let mut panics = Box::pin(pool.join_all());
    assert!(panics.as_mut().poll(&mut Context::from_waker(&panicking())).is_pending());
    assert_eq!(pool.spawn(async { 7 }).await.await.expect("it does not panic"), 7);
    assert_eq!(pool.len(), 1);
    drop(panics);
    first.abort();
    in_time(pool.join_all()).await.expect("to be cancelled is no panic");
    assert_all_free(pool.limiter());
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_gives_its_output_although_a_waker_panics() {
    let limiter = Limiter::new("panics-spawn", 1);
    let (end, ended) = oneshot::channel();
    let task = limiter.spawn(async { ended.await.expect("it is told to end") }).await;
    let ghost = panics_when_woken(&limiter);
    end.send(7).expect("the task waits for it");
    assert_eq!(task.await.expect("the waker's panic is not the task's"), 7);
    drop(ghost);
    assert_all_free(&limiter);
}

#[tokio::test(start_paused = true)]
async fn a_stream_gives_every_output_although_a_waker_panics() {
    let limiter = Arc::new(Limiter::new("panics-map-limited", 1));
    let (end, ended) = oneshot::channel::<()>();
    let ended = ended.shared();
    let nap = |n| {
        let ended = ended.clone();
        async move { ended.await.map(|()| n) }
    };
    let mut outputs = pin!(stream::iter([1, 2]).map_limited(&limiter, nap).ordered());
    assert!(outputs.next().now_or_never().is_none());
    settle().await;
    let ghost = panics_when_woken(&limiter);
    end.send(()).expect("the tasks wait for it");
    assert_eq!(outputs.next().await, Some(Ok(1)));
    drop(ghost);
    assert_eq!(in_time(outputs.next()).await, Some(Ok(2)));
    assert_eq!(outputs.next().await, None);
    assert_all_free(&limiter);
}

#[test]
fn a_future_in_place_gives_its_output_although_a_waker_panics() {
    let limiter = Limiter::new("panics-run", 1);
    let (end, ended) = oneshot::channel();
    let mut runs = waiter(limiter.run(ended));
    let ghost = panics_when_woken(&limiter);
    end.send(7).expect("the call waits for it");
    assert_eq!(assert_ready_ok!(runs.poll()), 7);
    drop(ghost);
    assert_all_free(&limiter);
}

#[test]
fn a_future_in_place_that_panics_gives_its_permit_back_at_once() {
    let limiter = Limiter::new("panics-in-place", 1);
    let mut runs = spawn(limiter.run(poll_fn(|_| -> Poll<()> { panic!("when polled") })));
    assert!(catch_unwind(AssertUnwindSafe(|| runs.poll())).is_err());
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_future_in_place_that_is_cancelled_may_panic_together_with_a_waker() {
    let limiter = Limiter::new("panics-cancelled-in-place", 1);
    let bomb = Bomb("when dropped");
    let runs = waiter(limiter.run(poll_fn(move |_| -> Poll<()> {
        let _of_the_future = &bomb;
        Poll::Pending
    })));
    let ghost = panics_when_woken(&limiter);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(runs))).is_err(), "the future's panic");
    drop(ghost);
    assert_all_free(&limiter);
}

/// A future that never ends, holds a permit, and may panic when it is dropped.
fn some_panic_when_dropped(
    limiter: &Limiter,
    number: usize,
) -> impl Future<Output = Result<(), &'static str>> {
    let (limiter, bomb) = (permit(limiter), (number % 2 == 0).then(|| Bomb("when dropped")));
    async move {
        let _held = (bomb, limiter);
        std::future::pending::<()>().await;
        Ok(())
    }
}

#[test]
fn futures_in_place_are_all_dropped_although_some_panic_in_that() {
    let limiter = Limiter::new("panics-cancelled", 8);
    let dropped = |all: Pin<Box<dyn Future<Output = ()> + '_>>| {
        let all = waiter(all);
        assert_figures(&limiter, 8, 0);
        // The drop may panic or not.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(all)));
        assert_figures(&limiter, 0, 0);
    };
    let futures = || (0..8).map(|number| some_panic_when_dropped(&limiter, number));
    dropped(Box::pin(local::gather(8, futures()).map(drop)));
    dropped(Box::pin(local::try_gather(8, futures()).map(drop)));
    assert_all_free(&limiter);
}

#[test]
fn the_first_error_comes_through_although_others_panic_when_they_are_cancelled() {
    let limiter = Limiter::new("panics-at-an-error", 8);
    let limiter = &limiter;
    let futures = || {
        let fails = async { Err("the first error") }.left_future();
        let pending = (0..8).map(|number| some_panic_when_dropped(limiter, number));
        pending.map(FutureExt::right_future).chain([fails])
    };
    let mut gathered = spawn(local::try_gather(9, futures()));
    assert_eq!(assert_ready!(gathered.poll()), Err("the first error"));
    assert_figures(limiter, 0, 0);
}

#[test]
fn an_error_comes_through_although_outputs_before_it_panic_when_they_are_dropped() {
    let limiter = Limiter::new("panics-outputs", 8);
    let gives = |number: usize| {
        let output = (Bomb("an output's"), permit(&limiter));
        std::future::ready(if number < 7 {
            Ok(output)
        } else {
            std::mem::forget(output.0);
            Err("the first error")
        })
    };
    let mut gathered = spawn(local::try_gather(1, (0..8).map(gives)));
    let error = assert_ready!(gathered.poll()).map(|outputs| outputs.len());
    assert_eq!(error, Err("the first error"));
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_iterator_or_the_closure_cancels_what_runs_and_ends_the_stream() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let running = |_| {
        let guard = Counted(Arc::clone(&dropped));
        async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        }
    };
    let items = || (0..8).inspect(|&n| assert!(n < 3, "in the iterator"));
    let closure = |n| {
        assert!(n < 3, "in the closure");
        running(n)
    };
    let mut ended = 0;
    let mut ends = async |mut outputs: Pin<Box<dyn futures::Stream<Item = ()> + '_>>| {
        let panic = AssertUnwindSafe(outputs.next()).catch_unwind().await;
        assert!(panic.is_err());
        settle().await;
        ended += 3;
        assert_eq!(dropped.load(Ordering::SeqCst), ended, "all that ran");
        assert_eq!(in_time(outputs.next()).await, None);
    };
    ends(Box::pin(task::map(8, items(), running).ordered())).await;
    ends(Box::pin(task::map(8, 0.., closure).unordered())).await;

    // In place, while the future that has panicked is still there.
    let before = dropped.load(Ordering::SeqCst);
    let mut gathered = pin!(local::gather(8, items().map(running)));
    assert!(AssertUnwindSafe(gathered.as_mut()).catch_unwind().await.is_err());
    assert_eq!(dropped.load(Ordering::SeqCst), before + 3, "all that ran");
}
