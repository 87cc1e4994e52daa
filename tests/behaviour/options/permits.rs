//! Permits that the body moves into a task, a stream or a thread.

use super::in_use;
use futures::StreamExt;
use limit_runtime::{Limiter, Permit, concurrency_limit};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::sleep;
use tokio_test::task;

#[tokio::test(start_paused = true)]
async fn a_permit_may_move_into_a_spawned_task() {
    static LIMITER: Limiter = Limiter::new("options-spawned", 1);

    #[concurrency_limit(limiter = LIMITER, permit = permit)]
    async fn limited() -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move {
            let _permit = permit;
            sleep(Duration::from_secs(1)).await;
        })
    }

    let work = limited().await;
    assert_eq!(in_use(&LIMITER), 1, "the function has returned, the task has not");
    let start = tokio::time::Instant::now();
    let second = limited().await;
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    work.await.unwrap();
    second.await.unwrap();
    assert_eq!(in_use(&LIMITER), 0);
}

#[tokio::test]
async fn a_permit_moved_into_blocking_work_outlasts_a_cancelled_caller() {
    static LIMITER: Limiter = Limiter::new("options-spawn-blocking", 1);

    #[concurrency_limit(limiter = LIMITER, permit = permit)]
    async fn limited(go_on: mpsc::Receiver<()>, done: tokio::sync::oneshot::Sender<()>) {
        let work = tokio::task::spawn_blocking(move || {
            let received = go_on.recv();
            drop(permit);
            received.is_ok().then(|| done.send(()))
        });
        work.await.unwrap();
    }

    let (go_on, waits) = mpsc::channel();
    let (done, ended) = tokio::sync::oneshot::channel();
    let mut call = task::spawn(limited(waits, done));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!(in_use(&LIMITER), 1, "the caller is gone, the work is not");
    assert!(LIMITER.try_acquire().is_err());
    go_on.send(()).unwrap();
    ended.await.unwrap();
    assert_eq!(in_use(&LIMITER), 0);
}

#[test]
fn a_permit_moved_into_a_stream_is_held_until_that_is_dropped() {
    static LIMITER: Limiter = Limiter::new("options-stream", 1);

    struct Numbers {
        left: u8,
        _permit: Permit,
    }

    impl futures::Stream for Numbers {
        type Item = u8;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
            self.left = self.left.saturating_sub(1);
            Poll::Ready((self.left > 0).then_some(self.left))
        }
    }

    #[concurrency_limit(limiter = LIMITER, permit = permit)]
    async fn limited(left: u8) -> impl futures::Stream<Item = u8> + Unpin {
        Numbers { left, _permit: permit }
    }

    futures::executor::block_on(async {
        let mut stream = limited(3).await;
        assert_eq!(in_use(&LIMITER), 1);
        assert_eq!(stream.next().await, Some(2));
        assert!(task::spawn(limited(3)).poll().is_pending());
        drop(stream);
        assert_eq!(in_use(&LIMITER), 0);
    });
}

#[tokio::test]
async fn the_permit_of_a_function_that_returns_a_stream_is_back_when_the_function_returns() {
    static LIMITER: Limiter = Limiter::new("options-stream-without-permit", 1);

    #[concurrency_limit(limiter = LIMITER)]
    async fn limited() -> impl futures::Stream<Item = usize> {
        futures::stream::repeat_with(|| in_use(&LIMITER)).take(1)
    }

    let stream = limited().await;
    assert_eq!(stream.collect::<Vec<_>>().await, [0]);
}

#[tokio::test]
async fn a_permit_that_is_named_and_not_moved_is_held_until_the_body_ends() {
    static LIMITER: Limiter = Limiter::new("options-named", 1);

    struct Witness(&'static Limiter);

    impl Witness {
        fn value(&self) -> usize {
            in_use(self.0)
        }
    }

    impl Drop for Witness {
        fn drop(&mut self) {
            assert_eq!(in_use(self.0), 1);
        }
    }

    #[concurrency_limit(limiter = LIMITER, permit = _permit)]
    async fn limited() -> usize {
        let _local = Witness(&LIMITER);
        Witness(&LIMITER).value()
    }

    assert_eq!(limited().await, 1);
    assert_eq!(in_use(&LIMITER), 0);
}
