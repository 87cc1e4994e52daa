//! Blocking work under a limit, and permits that move into it or into what is returned.

use futures::stream::{self, Stream, StreamExt};
use limit_runtime::{Limiter, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, refused, waiter};
use limit_tests::runtimes::{join, one_thread, workers};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use tokio_test::task;

/// Work that is under way until the test lets it end.
struct Work {
    begun: mpsc::Receiver<()>,
    end: mpsc::Sender<()>,
}

impl Work {
    fn new() -> (Self, impl FnOnce() + Send + 'static) {
        let (started, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let work = move || {
            let _ = started.send(());
            let _ = ended.recv();
        };
        (Self { begun, end }, work)
    }

    fn wait_until_it_has_begun(&self) {
        self.begun.recv().expect("the work begins");
    }

    fn end(self) {
        let _ = self.end.send(());
    }
}

#[test]
fn never_more_threads_than_the_limit_are_busy_and_as_many_are() {
    static INSIDE: Inside = Inside::new();
    static ALL_FOUR: Barrier = Barrier::new(4);

    let limiter = Arc::new(Limiter::new("blocking-threads", 4));
    workers(4).block_on(async {
        let call = |limiter: Arc<Limiter>, number: u32| async move {
            let work = move || {
                let _inside = INSIDE.enter();
                // Each group of four meets at a barrier, so that four have to be busy at once.
                ALL_FOUR.wait();
                std::thread::yield_now();
                number * 2
            };
            limiter.blocking(work).await
        };
        let tasks = (0..400).map(|number| tokio::spawn(call(Arc::clone(&limiter), number)));
        let doubled = join(tasks.collect()).await;
        assert_eq!(doubled, (0..400).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!((INSIDE.now(), INSIDE.most()), (0, 4));
        assert_all_free(&limiter);
    });
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_free_its_permit_early() {
    let limiter = Limiter::new("blocking-gone", 1);
    let (work, run) = Work::new();
    let caller = waiter(limiter.blocking(run));
    work.wait_until_it_has_begun();
    drop(caller);
    assert_figures(&limiter, 1, 0);
    limiter.try_acquire().unwrap_err();
    let mut next = waiter(limiter.acquire());
    assert_waits(&mut next);
    work.end();
    drop(next.await);
    assert_eq!(total(&limiter).cancelled, 0, "it had not waited");
    limiter.drain().await;
    assert_all_free(&limiter);
}

#[tokio::test]
async fn a_caller_that_goes_away_while_it_waits_begins_no_work() {
    let limiter = Limiter::new("blocking-gone-waiting", 1);
    let (work, run) = Work::new();
    let first = waiter(limiter.blocking(run));
    work.wait_until_it_has_begun();
    let begun = Arc::new(AtomicBool::new(false));
    let second = waiter(limiter.blocking({
        let begun = Arc::clone(&begun);
        move || begun.store(true, Ordering::Relaxed)
    }));
    assert_figures(&limiter, 1, 1);
    drop(second);
    assert_eq!(Arc::strong_count(&begun), 1, "its arguments are gone");
    work.end();
    first.await;
    limiter.drain().await;
    assert!(!begun.load(Ordering::Relaxed));
    assert_eq!(total(&limiter).cancelled, 1);
    assert_all_free(&limiter);
}

#[tokio::test]
async fn a_panic_goes_on_in_the_caller_and_the_permit_comes_back() {
    let limiter = Arc::new(Limiter::new("blocking-panics", 2));
    for number in 0..10 {
        let caller = tokio::spawn({
            let limiter = Arc::clone(&limiter);
            async move {
                let work = move || -> u32 { std::panic::panic_any(number) };
                limiter.blocking(work).await
            }
        });
        let panic = caller.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<i32>(), Some(&number), "the work's own panic");
    }
    limiter.drain().await;
    assert_eq!(limiter.blocking(|| 7).await, 7);
    limiter.drain().await;
    assert_all_free(&limiter);
}

#[tokio::test]
async fn what_is_moved_into_the_work_need_not_be_shared() {
    let limiter = Limiter::new("blocking-moved", 1);
    let (text, cell) = (String::from("moved"), Cell::new(5));
    let (text, five) = limiter.blocking(move || (text + " there", cell.take())).await;
    assert_eq!((text.as_str(), five), ("moved there", 5));
}

#[tokio::test]
async fn a_call_that_is_refused_has_not_run_its_work() {
    let limiter: Limiter<Rejected> = Limiter::new("blocking-refused", 1).max_waiting(0);
    let (work, run) = Work::new();
    let first = waiter(limiter.blocking(run));
    work.wait_until_it_has_begun();
    let ran = Arc::new(AtomicBool::new(false));
    for _ in 0..3 {
        let ran = Arc::clone(&ran);
        let rejected = refused(limiter.blocking(move || ran.store(true, Ordering::Relaxed)));
        assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    }
    assert_eq!(Arc::strong_count(&ran), 1, "the work was dropped");
    work.end();
    assert!(first.await.is_ok());
    limiter.drain().await;
    assert_eq!(limiter.blocking(|| 7).await.ok(), Some(7));
    limiter.drain().await;
    assert!(!ran.load(Ordering::Relaxed));
    assert_all_free(&limiter);
}

#[tokio::test]
async fn blocking_work_of_one_key_does_not_hold_up_that_of_another() {
    let limiter = Limiter::new("blocking-keyed", 1).keyed();
    let (work, run) = Work::new();
    let first = waiter(limiter.key("a").blocking(run));
    work.wait_until_it_has_begun();
    let (same_work, same_run) = Work::new();
    let same = waiter(limiter.key("a").blocking(same_run));
    assert_eq!(limiter.key("b").blocking(|| 7).await, 7);
    assert_eq!((total(&limiter).keys, total(&limiter).waiting), (1, 1));
    work.end();
    first.await;
    same_work.end();
    same.await;
    limiter.drain().await;
    assert_eq!(total(&limiter).keys, 0);
}

#[test]
fn work_that_a_runtime_never_began_is_a_panic_in_the_caller_and_no_permit_is_lost() {
    let limiter = Limiter::new("blocking-shut-down", 3);
    let ended = one_thread().handle().clone();
    let _in_it = ended.enter();
    for _ in 0..5 {
        let mut call = task::spawn(limiter.blocking(|| ()));
        let polled = catch_unwind(AssertUnwindSafe(|| call.poll().is_pending()));
        assert!(polled.is_err(), "there is nothing that it could give");
        assert_figures(&limiter, 0, 0);
    }
}

/// An inner `spawn_blocking` or a spawned task is such work, if the permit is moved into it.
#[tokio::test]
async fn with_the_permit_moved_into_it_work_that_goes_on_holds_the_limit_when_its_caller_has_gone()
{
    let limiter = Limiter::new("blocking-inner", 1);
    let (work, run) = Work::new();
    let caller = waiter(async {
        let permit = limiter.acquire().await;
        let inner = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            run();
        });
        inner.await.unwrap();
    });
    work.wait_until_it_has_begun();
    drop(caller);
    limiter.try_acquire().unwrap_err();
    work.end();
    limiter.drain().await;
    assert_all_free(&limiter);
}

#[test]
fn a_stream_that_has_the_permit_moved_into_it_holds_it_until_it_is_dropped() {
    async fn lines(limiter: &Limiter) -> impl Stream<Item = u32> + Unpin + use<> {
        let permit = limiter.acquire().await;
        Box::pin(stream::unfold((0, permit), |(line, permit)| async move {
            (line < 3).then_some((line, (line + 1, permit)))
        }))
    }

    let limiter = Limiter::new("blocking-stream", 2);
    let mut half = limit_tests::polling::at_once(lines(&limiter));
    let mut whole = limit_tests::polling::at_once(lines(&limiter));
    let mut next = task::spawn(lines(&limiter));
    assert!(next.poll().is_pending());
    assert_eq!(limit_tests::polling::at_once(half.next()), Some(0));
    assert_waits_for_stream(&limiter);
    drop(half);
    let third = limit_tests::polling::served(&mut next);
    for line in [Some(0), Some(1), Some(2), None] {
        assert_waits_for_stream(&limiter);
        assert_eq!(limit_tests::polling::at_once(whole.next()), line);
    }
    drop((whole, third));
    assert_all_free(&limiter);
}

#[track_caller]
fn assert_waits_for_stream(limiter: &Limiter) {
    limiter.try_acquire().expect_err("two streams are open");
}
