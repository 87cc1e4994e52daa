//! Wakers of executors that nobody here has written: some cannot be cloned, some poll where they are
//! woken, some use the limiter when they are dropped.

use crate::calls::{at_once, let_in, refused};
use crate::support::{assert_all_free, one_thread, permit, waiter};
use limit_runtime::{Limiter, Permit, Rejected, RejectedKind};
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};

/// A waker that panics when it is cloned.
fn unclonable() -> Waker {
    static TABLE: RawWakerVTable =
        RawWakerVTable::new(|_| panic!("the waker is cloned"), |_| (), |_| (), |_| ());
    // SAFETY: the functions use no data, and each of them may be called on any thread.
    unsafe { Waker::new(ptr::null(), &TABLE) }
}

#[track_caller]
fn polled_with<F: Future>(waker: &Waker, call: F) -> F::Output {
    match Box::pin(call).as_mut().poll(&mut Context::from_waker(waker)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call waits"),
    }
}

#[test]
fn a_call_that_finds_a_permit_does_not_clone_its_waker() {
    let waker = unclonable();
    let plain = Limiter::new("unclonable-plain", 1);
    for _ in 0..2 {
        drop(polled_with(&waker, plain.acquire()));
    }
    let lazy = Limiter::lazy("unclonable-lazy", || 1);
    drop(polled_with(&waker, lazy.acquire()));
    let keyed = Limiter::new("unclonable-keyed", 1).keyed();
    let busy = at_once(keyed.key("busy").acquire());
    let _behind = waiter(keyed.key("busy").acquire());
    for _ in 0..2 {
        drop(polled_with(&waker, keyed.key("free").acquire()));
    }
    drop(busy);
    let heard = Limiter::new("unclonable-heard", 1);
    let _events = heard.subscribe();
    for _ in 0..2 {
        drop(polled_with(&waker, heard.acquire()));
    }
}

#[test]
fn a_call_that_is_refused_does_not_clone_its_waker() {
    let waker = unclonable();
    let limiter = Limiter::new("unclonable-refused", 2).max_waiting(1);
    let held = (let_in(limiter.acquire()), let_in(limiter.acquire()));
    let behind = waiter(limiter.acquire());
    let kind = |call: Result<Permit, Rejected>| call.map_err(|rejected| rejected.kind()).err();
    let full = polled_with(&waker, limiter.acquire());
    assert_eq!(kind(full), Some(RejectedKind::QueueFull));
    drop(behind);
    let heavy = polled_with(&waker, limiter.acquire().weight(3));
    assert_eq!(kind(heavy), Some(RejectedKind::TooHeavy));
    limiter.close();
    assert_eq!(kind(polled_with(&waker, limiter.acquire())), Some(RejectedKind::Closed));
    drop(held);
}

/// An executor that polls a task where it is woken.
pub(crate) struct Inline {
    task: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl Inline {
    pub(crate) fn start(future: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        let task = Arc::new(Self { task: Mutex::new(Some(Box::pin(future))) });
        Arc::clone(&task).wake();
        task
    }
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let Some(mut task) = self.task.lock().expect("no task panics").take() else { return };
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            *self.task.lock().expect("no task panics") = Some(task);
        }
    }
}

#[test]
fn wakers_that_poll_where_they_are_woken_need_no_deeper_stack_for_more_waiters() {
    const WAITERS: usize = 20_000;
    static LIMITER: Limiter = Limiter::new("inline-wakers", 1);
    static SERVED: AtomicUsize = AtomicUsize::new(0);

    let held = permit(&LIMITER);
    let tasks: Vec<_> = (0..WAITERS)
        .map(|number| {
            Inline::start(async move {
                let _permit = LIMITER.acquire().await;
                assert_eq!(SERVED.fetch_add(1, Ordering::SeqCst), number, "in the order of coming");
            })
        })
        .collect();
    drop(held);
    assert_eq!(SERVED.load(Ordering::SeqCst), WAITERS);
    drop(tasks);
    assert_all_free(&LIMITER);
}

#[test]
fn a_task_that_is_polled_where_it_is_woken_may_wait_for_others_that_it_wakes() {
    static OUTER: Limiter = Limiter::new("inline-outer", 1);
    static INNER: Limiter = Limiter::new("inline-inner", 1);
    static IS_DONE: AtomicBool = AtomicBool::new(false);

    let held = permit(&OUTER);
    let task = Inline::start(async {
        let _permit = OUTER.acquire().await;
        // Synchronous code that runs a runtime of its own.
        one_thread().block_on(async {
            let held = INNER.acquire().await;
            let other = tokio::spawn(async { drop(INNER.acquire().await) });
            tokio::task::yield_now().await;
            drop(held);
            other.await.expect("it does not panic");
        });
        IS_DONE.store(true, Ordering::SeqCst);
    });
    drop(held);
    assert!(IS_DONE.load(Ordering::SeqCst));
    drop(task);
}

thread_local! {
    /// What is done when a waker of [`looking`] is dropped.
    static LOOK: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// A waker that runs [`LOOK`] whenever it, or a clone of it, is dropped.
fn looking() -> Waker {
    fn raw() -> RawWaker {
        static TABLE: RawWakerVTable = RawWakerVTable::new(
            |_| raw(),
            |_| (),
            |_| (),
            |_| {
                if let Some(look) = LOOK.get() {
                    look();
                }
            },
        );
        RawWaker::new(ptr::null(), &TABLE)
    }
    // SAFETY: the functions use no data, and each of them may be called on any thread.
    unsafe { Waker::from_raw(raw()) }
}

#[test]
fn a_waker_that_looks_at_the_limiter_when_it_is_dropped_does_not_deadlock() {
    static LIMITER: Limiter<Rejected> = Limiter::new("dropped-wakers", 1).max_waiting(1);
    LOOK.set(Some(|| drop(LIMITER.snapshot())));

    let waker = looking();
    let mut context = Context::from_waker(&waker);
    let held = let_in(LIMITER.acquire());
    let mut first = Box::pin(LIMITER.acquire());
    assert!(first.as_mut().poll(&mut context).is_pending());
    let polled = Box::pin(LIMITER.acquire()).as_mut().poll(&mut context);
    let Poll::Ready(Err(rejected)) = polled else { panic!("it is refused: {polled:?}") };
    assert_eq!(rejected.kind(), RejectedKind::QueueFull);
    // Exchanged, served, and cancelled.
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(first.as_mut().poll(&mut context).is_pending());
    drop(held);
    let mut second = Box::pin(LIMITER.acquire());
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(second);
    drop(first);
    assert_eq!(refused(LIMITER.acquire().weight(2)).kind(), RejectedKind::TooHeavy);
}

#[test]
fn a_waker_that_panics_when_it_is_dropped_does_not_end_the_process() {
    thread_local! {
        static ARMED: Cell<bool> = const { Cell::new(false) };
    }
    LOOK.set(Some(|| assert!(!ARMED.get(), "in a waker's drop")));

    let waker = looking();
    let limiter = Limiter::new("dropped-wakers-panic", 1);
    let held = permit(&limiter);
    let mut call = Box::pin(limiter.acquire());
    assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    ARMED.set(true);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _call = call;
        panic!("in the body");
    }));
    ARMED.set(false);
    let message = panic.expect_err("the body panics");
    assert_eq!(message.downcast_ref(), Some(&"in the body"));
    drop(held);
    assert_all_free(&limiter);
}
