//! Functions that return `io::Result`: the error contains the refusal.

use super::{figures, in_its_body};
use limit_runtime::{Limiter, Order, Rejected, RejectedKind, concurrency_limit};
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio_test::assert_ready_err;
use tokio_test::task;

/// Returns the refusal inside an error.
#[track_caller]
fn refusal(error: &io::Error) -> &Rejected {
    error.get_ref().and_then(|source| source.downcast_ref()).expect("it has its refusal")
}

#[test]
fn a_refused_call_gives_an_io_error_with_its_refusal() {
    #[concurrency_limit(1, max_waiting = 0, name = "io-errors")]
    async fn limited() -> io::Result<()> {
        std::future::pending().await
    }

    let _inside = in_its_body(limited());
    let error = assert_ready_err!(task::spawn(limited()).poll());
    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    let text = "concurrency limit `io-errors` reached: 1 of 1 permits in use, 0 waiting";
    assert_eq!(error.to_string(), text);
    assert_eq!(refusal(&error).limiter(), "io-errors");
    let rejected: Rejected = error.downcast().expect("it is one");
    assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    assert_eq!(figures("io-errors").rejected.queue_full, 1);
}

#[test]
fn a_question_mark_passes_it_on_as_an_io_error() {
    async fn work(limiter: &Limiter<Rejected>) -> io::Result<u32> {
        let _permit = limiter.acquire().await?;
        Ok(7)
    }

    let limiter = Limiter::new("io-question-mark", 1).max_waiting(0);
    let _held = limiter.try_acquire().expect("a permit is free");
    let error = assert_ready_err!(task::spawn(work(&limiter)).poll());
    assert_eq!(refusal(&error).kind(), RejectedKind::QueueFull);
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_refusal_is_a_kind_of_io_error() {
    let kind = |rejected: Rejected| {
        let kind = rejected.kind();
        let error = io::Error::from(rejected);
        assert_eq!(refusal(&error).kind(), kind);
        error.kind()
    };
    let limiter = Limiter::new("io-kinds", 1).max_waiting(1).max_wait(Duration::from_millis(5));
    let held = limiter.try_acquire().expect("a permit is free");
    let late = limiter.acquire().await.unwrap_err();
    assert_eq!(kind(late), ErrorKind::TimedOut);
    let too_heavy = limiter.acquire().weight(2).await.unwrap_err();
    assert_eq!(kind(too_heavy), ErrorKind::InvalidInput);
    assert_eq!(kind(limiter.try_acquire().unwrap_err()), ErrorKind::ResourceBusy);
    limiter.close();
    assert_eq!(kind(limiter.try_acquire().unwrap_err()), ErrorKind::Other);
    drop(held);

    let limiter = Limiter::new("io-evicted", 1).max_waiting(1).order(Order::Lifo);
    let _held = limiter.try_acquire().expect("a permit is free");
    let mut older = in_its_body(limiter.acquire());
    let _newer = in_its_body(limiter.acquire());
    assert_eq!(kind(assert_ready_err!(older.poll())), ErrorKind::ResourceBusy);
}

#[test]
fn none_is_of_a_kind_that_io_takes_for_not_yet_or_again() {
    // A reactor takes `WouldBlock` for "not ready, and a wake will follow". Callers retry
    // `Interrupted` at once, for ever.
    let limiter = Limiter::new("io-not-yet", 1).max_waiting(0);
    let _held = limiter.try_acquire().expect("a permit is free");
    let kind = io::Error::from(limiter.try_acquire().unwrap_err()).kind();
    assert!(!matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted), "{kind:?}");
}
