//! Wakers of other executors: some panic when they are cloned, some poll where they are woken, some
//! use the limiter when they are dropped.

use limit_runtime::{Limiter, Permit, Rejected, RejectedKind};
use limit_tests::figures::{assert_all_free, total};
use limit_tests::polling::{at_once, let_in, permit, refused, served, waiter};
use limit_tests::programs::is_alone;
use limit_tests::runtimes::{one_thread, paused};
use limit_tests::wakers::panicking;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use std::time::Duration;
use tokio_test::task::{self, Spawn};

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

#[test]
fn a_call_that_takes_no_permits_does_not_clone_its_waker_although_others_wait() {
    let limiter = Limiter::new("unclonable-weightless", 1);
    let held = permit(&limiter);
    let waiting = waiter(limiter.acquire());
    drop(polled_with(&unclonable(), limiter.acquire().weight(0)).expect("it takes none"));
    drop((waiting, held));
    assert_all_free(&limiter);
}

/// Calls have waited before, so that the limiter expects the next call to wait.
#[test]
fn a_call_that_is_refused_where_others_have_waited_does_not_clone_its_waker() {
    let waker = unclonable();
    let limiter = Limiter::new("unclonable-lowered", 2).max_waiting(1);
    let held = let_in(limiter.acquire().weight(2));
    drop(waiter(limiter.acquire()));
    limiter.set_limit(1);
    let heavy = polled_with(&waker, limiter.acquire().weight(2));
    assert_eq!(heavy.unwrap_err().kind(), RejectedKind::TooHeavy);
    limiter.close();
    let closed = polled_with(&waker, limiter.acquire().weight(1));
    assert_eq!(closed.unwrap_err().kind(), RejectedKind::Closed);
    drop(held);
}

/// The limiter does not know a key that is not in use, and so cannot tell beforehand whether the
/// call waits.
#[test]
fn a_call_of_a_new_key_that_is_not_to_wait_does_not_clone_its_waker() {
    let waker = unclonable();
    let kind = |call: Result<Permit, Rejected>| call.unwrap_err().kind();

    let none_waits = Limiter::new("unclonable-key-full", 1).max_waiting(0).keyed().total(1);
    let held = let_in(none_waits.key(1).acquire());
    assert_eq!(kind(polled_with(&waker, none_waits.key(2).acquire())), RejectedKind::QueueFull);
    drop(held);

    let closes = Limiter::new("unclonable-key-closed", 2).max_waiting(1).keyed().total(2);
    let held = let_in(closes.key(1).acquire().weight(2));
    let heavy = polled_with(&waker, closes.key(2).acquire().weight(3));
    assert_eq!(kind(heavy), RejectedKind::TooHeavy);
    closes.close();
    assert_eq!(kind(polled_with(&waker, closes.key(2).acquire())), RejectedKind::Closed);
    drop(held);

    let shadow = Limiter::new("unclonable-key-shadow", 1).keyed().total(1).shadow();
    let held = at_once(shadow.key(1).acquire());
    drop(polled_with(&waker, shadow.key(2).acquire()));
    drop(held);
}

#[test]
fn a_call_of_a_new_key_that_cannot_clone_its_waker_leaves_no_key_behind() {
    let waker = unclonable();
    for (limit, cap) in [(0, 1), (1, 0)] {
        let limiter = Limiter::named("unclonable-key-waits", limit).keyed().total(cap);
        let called = catch_unwind(AssertUnwindSafe(|| {
            drop(polled_with(&waker, limiter.key("tenant").acquire()));
        }));
        assert!(called.is_err(), "it has to wait, and cannot");
        let left = total(&limiter);
        assert_eq!((left.keys, left.waiting), (0, 0), "limit {limit}, {cap} over all keys");
    }
}

#[test]
fn a_call_that_finds_a_permit_while_somebody_drains_does_not_clone_its_waker() {
    let limiter = Limiter::new("unclonable-drained", 2);
    let held = (permit(&limiter), permit(&limiter));
    drop(waiter(limiter.acquire()));
    drop(held.0);
    let mut drain = waiter(limiter.drain());
    drop(polled_with(&unclonable(), limiter.acquire()));
    drop(held.1);
    assert_eq!(served(&mut drain), 1);
}

#[test]
fn the_first_call_of_a_runtime_does_not_clone_its_waker_although_others_waited_on_the_last() {
    if !is_alone(
        "foreign_wakers::the_first_call_of_a_runtime_does_not_clone_its_waker_although_others_waited_on_the_last",
    ) {
        return;
    }
    let limiter = Limiter::new("unclonable-passed-on", 1);
    // The second runtime takes the storage that the first has left.
    for _ in 0..2 {
        one_thread().block_on(async {
            drop(polled_with(&unclonable(), limiter.acquire()));
            let held = permit(&limiter);
            drop(waiter(limiter.acquire()));
            drop(held);
        });
    }
}

#[test]
fn permits_whose_window_is_over_are_handed_out_although_the_call_that_looks_cannot_clone_its_waker()
{
    let runtime = paused();
    let _entered = runtime.enter();
    let window = Duration::from_secs(1);
    let limiter = Limiter::new("unclonable-cooled", 1).per(window);
    drop(permit(&limiter));
    let mut waiting = waiter(limiter.acquire());
    // Only the clock advances: the task that watches it for the waiters has not been polled.
    assert!(task::spawn(tokio::time::advance(window)).poll().is_pending());
    let waker = unclonable();
    let called = catch_unwind(AssertUnwindSafe(|| drop(polled_with(&waker, limiter.acquire()))));
    assert!(called.is_err(), "it has to wait, and cannot");
    drop(served(&mut waiting));
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
        // The body is synchronous code that runs a runtime of its own.
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

/// More tasks than are polled one inside the other.
const DEEP: usize = 30;

/// Starts tasks that wait. Each is polled where the task before gives its permit back, and writes
/// its number down. The task at this depth gives other permits back before its own.
fn start_row(
    limiter: &'static Limiter,
    length: usize,
    others: Vec<Permit>,
    done: &Arc<Mutex<Vec<usize>>>,
) -> Vec<Arc<Inline>> {
    let mut others = Some(others);
    let task = |number| {
        let others = others.take_if(|_| number == DEEP);
        let done = Arc::clone(done);
        Inline::start(async move {
            let _permit = limiter.acquire().await;
            done.lock().expect("no task panics with it").push(number);
            others.into_iter().flatten().for_each(drop);
        })
    };
    (0..length).map(task).collect()
}

#[test]
fn however_deep_wakers_poll_where_they_are_woken_all_are_woken_in_order() {
    static LIMITER: Limiter = Limiter::new("inline-order", 4);
    const LENGTH: usize = 2 * DEEP;

    let others = (0..3).map(|_| permit(&LIMITER)).collect();
    let held = permit(&LIMITER);
    let done = Arc::default();
    let tasks = start_row(&LIMITER, LENGTH, others, &done);
    drop(held);
    let done = std::mem::take(&mut *done.lock().expect("no task panics with it"));
    assert_eq!(done, (0..LENGTH).collect::<Vec<_>>());
    drop(tasks);
    // The nesting is over: the next call is woken at once.
    let held = let_in(LIMITER.acquire_many(4));
    let mut next = waiter(LIMITER.acquire());
    drop(held);
    drop(served(&mut next));
    assert_all_free(&LIMITER);
}

#[test]
fn however_deep_wakers_poll_where_they_are_woken_all_are_woken_although_one_panics() {
    static LIMITER: Limiter = Limiter::new("inline-panics", 4);

    // Repeated, because a mark of a wake under way that stayed behind would stop all later wakes.
    for _ in 0..DEEP {
        let others = (0..3).map(|_| permit(&LIMITER)).collect();
        let held = permit(&LIMITER);
        let tasks = start_row(&LIMITER, DEEP + 1, others, &Arc::default());
        let mut panics = Box::pin(LIMITER.acquire());
        assert!(panics.as_mut().poll(&mut Context::from_waker(&panicking())).is_pending());
        let waiters = [waiter(LIMITER.acquire()), waiter(LIMITER.acquire())];
        assert!(catch_unwind(AssertUnwindSafe(|| drop(held))).is_err());
        assert!(waiters.iter().all(Spawn::is_woken));
        drop((tasks, panics, waiters));
        assert_all_free(&LIMITER);
    }
}

#[test]
fn those_who_are_served_at_once_are_woken_in_the_order_in_which_they_came() {
    static LIMITER: Limiter = Limiter::new("inline-at-once", 0);

    let done = Arc::default();
    let tasks = start_row(&LIMITER, 5, Vec::new(), &done);
    LIMITER.set_limit(5);
    assert_eq!(*done.lock().expect("no task panics with it"), [0, 1, 2, 3, 4]);
    drop(tasks);
    assert_all_free(&LIMITER);
}

thread_local! {
    /// The action that runs once, when a waker of [`at_clone`] is cloned.
    static AT_CLONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    /// The number of these wakers, if all were made and dropped on this thread.
    static CLONES: Cell<isize> = const { Cell::new(0) };
}

/// Returns a waker that runs an action when it is cloned next.
fn at_clone(run: impl FnOnce() + 'static) -> Waker {
    fn raw() -> RawWaker {
        static TABLE: RawWakerVTable = RawWakerVTable::new(
            |_| {
                if let Some(run) = AT_CLONE.take() {
                    run();
                }
                CLONES.set(CLONES.get() + 1);
                raw()
            },
            |_| CLONES.set(CLONES.get() - 1),
            |_| (),
            |_| CLONES.set(CLONES.get() - 1),
        );
        RawWaker::new(ptr::null(), &TABLE)
    }
    AT_CLONE.set(Some(Box::new(run)));
    CLONES.set(CLONES.get() + 1);
    // SAFETY: the functions use no data, and each of them may be called on any thread.
    unsafe { Waker::from_raw(raw()) }
}

#[test]
fn a_call_that_is_served_while_its_waker_is_exchanged_is_let_in() {
    let limiter = Limiter::new("cloned-exchanged", 1);
    let held = permit(&limiter);
    let mut call = Box::pin(limiter.acquire());
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    // The release wakes the waker of the previous poll, not this one.
    let waker = at_clone(move || drop(held));
    let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_ready(), "nobody would wake it");
    assert_eq!(CLONES.get(), 1, "what it does not need is not kept");
    drop(polled);
    assert_all_free(&limiter);
}

#[test]
fn a_waiter_that_is_polled_again_by_the_same_task_does_not_clone_its_waker_again() {
    let limiter = Limiter::new("cloned-once", 1);
    let held = permit(&limiter);
    let waker = at_clone(|| ());
    let mut call = Box::pin(limiter.acquire());
    for _ in 0..3 {
        assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        AT_CLONE.set(Some(Box::new(|| panic!("the waker is cloned again"))));
    }
    drop((held, call));
    assert_eq!(CLONES.get(), 1, "the test's own");
    assert_all_free(&limiter);
}

#[test]
fn a_waker_that_looks_at_the_limiter_when_it_is_cloned_does_not_deadlock() {
    static LIMITER: Limiter = Limiter::new("cloned-wakers", 1);
    let looks = || at_clone(|| drop(LIMITER.snapshot()));
    let has_looked = || AT_CLONE.take().is_none();

    let held = permit(&LIMITER);
    let mut call = Box::pin(LIMITER.acquire());
    let mut drain = Box::pin(LIMITER.drain());
    assert!(call.as_mut().poll(&mut Context::from_waker(&looks())).is_pending());
    assert!(has_looked(), "when it has joined the queue");
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(call.as_mut().poll(&mut Context::from_waker(&looks())).is_pending());
    assert!(has_looked(), "when it has taken the place of another");
    assert!(drain.as_mut().poll(&mut Context::from_waker(&looks())).is_pending());
    assert!(has_looked(), "when somebody drains");
    drop((call, held));
    assert!(drain.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert_all_free(&LIMITER);
}

#[test]
fn a_waker_that_looks_at_the_limiter_when_it_is_cloned_may_wait_for_the_limit() {
    static ASKED: Barrier = Barrier::new(2);
    static FOUND: Barrier = Barrier::new(2);
    static LIMITER: Limiter = Limiter::lazy("cloned-first-use", || {
        ASKED.wait();
        FOUND.wait();
        2
    });
    let mut call = Box::pin(LIMITER.acquire());
    thread::scope(|scope| {
        scope.spawn(|| drop(permit(&LIMITER)));
        ASKED.wait();
        let waker = at_clone(|| drop(LIMITER.snapshot()));
        let polled = call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
        FOUND.wait();
        assert!(polled && AT_CLONE.take().is_none());
    });
    drop(call);
    assert_all_free(&LIMITER);
}

thread_local! {
    /// The action that runs when a waker of [`looking`] is dropped.
    static LOOK: Cell<Option<fn()>> = const { Cell::new(None) };
}

/// Returns a waker that runs [`LOOK`] whenever it, or a clone of it, is dropped.
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
    // The wakers are exchanged, used, and dropped with a cancelled call.
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(first.as_mut().poll(&mut context).is_pending());
    drop(held);
    let mut second = Box::pin(LIMITER.acquire());
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(second);
    drop(first);
    assert_eq!(refused(LIMITER.acquire().weight(2)).kind(), RejectedKind::TooHeavy);
    // The wakers are exchanged, used at the end of the drain, and dropped with a cancelled drain.
    let held = let_in(LIMITER.acquire());
    let mut drain = Box::pin(LIMITER.drain());
    assert!(drain.as_mut().poll(&mut context).is_pending());
    assert!(drain.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let mut other = Box::pin(LIMITER.drain());
    assert!(other.as_mut().poll(&mut context).is_pending());
    drop(other);
    assert!(drain.as_mut().poll(&mut context).is_pending());
    drop(held);
    assert!(drain.as_mut().poll(&mut context).is_ready());
    assert_all_free(&LIMITER);
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

#[test]
fn a_clone_of_a_waker_that_was_not_needed_is_dropped_quietly() {
    thread_local! {
        static ARMED: Cell<bool> = const { Cell::new(false) };
    }
    LOOK.set(Some(|| assert!(!ARMED.get(), "in a waker's drop")));

    let waker = looking();
    let limiter = Limiter::new("dropped-wakers-unneeded", 1);
    let held = permit(&limiter);
    let mut call = Box::pin(limiter.acquire());
    ARMED.set(true);
    // The first that waits, so that more is to be done than to join the queue.
    assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    ARMED.set(false);
    drop(held);
    drop(call);
    assert_all_free(&limiter);
}
