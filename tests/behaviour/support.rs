//! What the tests share.

use limit_runtime::{Figures, Limiter, Permit};
use std::env;
use std::future::Future;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_pending, assert_ready};

/// A runtime with four worker threads.
pub(crate) fn four_workers() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .expect("a runtime can be made")
}

/// A runtime on this thread.
pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime can be made")
}

/// Asserts that exactly as many permits are free as the limit says and that nobody waits, by taking
/// them all. In the scope we are in; no other scope may have permits out.
#[track_caller]
pub(crate) fn assert_all_free(limiter: &Limiter) {
    assert_figures(limiter, 0, 0);
    let limit = limiter.limit();
    let permits: Vec<_> = (0..limit)
        .map(|taken| {
            limiter.try_acquire().unwrap_or_else(|_| panic!("{taken} of {limit} permits are free"))
        })
        .collect();
    limiter.try_acquire().expect_err("no more permits than the limit are free");
    drop(permits);
    assert_figures(limiter, 0, 0);
}

#[track_caller]
pub(crate) fn assert_figures(limiter: &Limiter, in_use: usize, waiting: usize) {
    let total = total(limiter);
    assert_eq!((total.in_use, total.waiting), (in_use, waiting), "in use and waiting, in {total}");
}

pub(crate) fn total(limiter: &Limiter) -> Figures {
    limiter.snapshot().total
}

/// A call, polled once, that waits.
#[track_caller]
pub(crate) fn waiter<F: Future>(future: F) -> Spawn<F> {
    let mut call = task::spawn(future);
    assert!(call.poll().is_pending(), "the call waits");
    call
}

/// A permit that is free.
#[track_caller]
pub(crate) fn permit(limiter: &Limiter) -> Permit {
    let mut call = task::spawn(limiter.acquire());
    assert_ready!(call.poll(), "a permit is free")
}

/// The permit of a waiter that has been woken.
#[track_caller]
pub(crate) fn served<F: Future>(call: &mut Spawn<F>) -> F::Output {
    assert!(call.is_woken(), "the waiter was woken");
    assert_ready!(call.poll(), "the waiter was served")
}

/// Asserts that a waiter still waits, and was not woken for nothing.
#[track_caller]
pub(crate) fn assert_waits<F: Future>(call: &mut Spawn<F>)
where
    F::Output: std::fmt::Debug,
{
    assert!(!call.is_woken(), "the waiter was woken");
    assert_pending!(call.poll());
}

/// Runs this test in a process of its own, in which nothing has happened yet. Says whether it is that
/// process; in the first it has passed when this returns.
#[track_caller]
pub(crate) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "LIMIT_BEHAVIOUR_ALONE";
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let program = env::current_exe().expect("the test knows its program");
    let output = Command::new(program).args([test, "--exact"]).env(ALONE, "1").output();
    let output = output.expect("the test can run itself");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    false
}

/// Joins all of them.
pub(crate) async fn join<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut outputs = Vec::with_capacity(tasks.len());
    for task in tasks {
        outputs.push(task.await.expect("the task does not panic"));
    }
    outputs
}

/// How many are inside at the moment, and the most that ever were.
#[derive(Debug, Default)]
pub(crate) struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Inside {
    pub(crate) const fn new() -> Self {
        Self { now: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// Somebody is inside until the returned value is dropped.
    pub(crate) fn enter(&self) -> impl Drop + Send + '_ {
        struct Leave<'a>(&'a Inside);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.now.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Leave(self)
    }

    pub(crate) fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}
