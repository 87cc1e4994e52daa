//! Permits that are stuck on a runtime that does not run.
//!
//! Each script runs twice: with the hand-written form, a static semaphore beside the function,
//! which hangs, and with the annotated function, which goes on.

use limit_runtime::concurrency_limit;
use limit_tests::polling::poll_once;
use limit_tests::runtimes::{one_thread, paused};
use std::pin::Pin;
use std::sync::mpsc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::yield_now;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// The work of a call while it has its permit.
type Body = Pin<Box<dyn Future<Output = ()> + Send>>;
type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

static SEMAPHORE: Semaphore = Semaphore::const_new(1);

async fn by_hand(body: Body) {
    let _permit = SEMAPHORE.acquire().await.expect("never closed");
    body.await;
}

#[concurrency_limit(1)]
async fn annotated(body: Body) {
    body.await;
}

#[concurrency_limit(1, scope = process)]
async fn of_the_process(body: Body) {
    body.await;
}

fn nothing() -> Body {
    Box::pin(async {})
}

fn for_ever() -> Body {
    Box::pin(std::future::pending())
}

/// Runs a call for at most an hour of the paused clock.
fn goes_on(runtime: &Runtime, call: impl Future<Output = ()>) -> Result<(), Elapsed> {
    runtime.block_on(async { timeout(Duration::from_secs(3600), call).await })
}

/// Spawns a call and runs the runtime until the call waits for a permit or for its body.
fn start(runtime: &Runtime, mut call: Call) {
    let (started, has_started) = oneshot::channel();
    runtime.spawn(async move {
        assert!(poll_once(call.as_mut()).await.is_none(), "the call waits");
        started.send(()).expect("the test waits for it");
        call.await;
    });
    runtime.block_on(has_started).expect("the task runs");
}

fn a_holder_on_an_idle_runtime(call: fn(Body) -> Call) -> Result<(), Elapsed> {
    let (idle, busy) = (one_thread(), paused());
    start(&idle, call(for_ever()));
    goes_on(&busy, call(nothing()))
}

fn the_first_waiter_on_an_idle_runtime(call: fn(Body) -> Call) -> Result<(), Elapsed> {
    let (idle, busy) = (one_thread(), paused());
    let (leave, may_leave) = oneshot::channel();
    start(&busy, call(Box::pin(async { may_leave.await.unwrap() })));
    // The runtime of this call does not run, so that a wake has no effect. The annotated call is in
    // its body, with a permit of its own runtime.
    start(&idle, call(for_ever()));
    goes_on(&busy, async {
        leave.send(()).expect("the holder waits for it");
        yield_now().await;
        call(nothing()).await;
    })
}

/// The permit is in a future that nobody polls any more.
fn a_call_polled_on_a_runtime_that_is_gone(call: fn(Body) -> Call) -> Result<(), Elapsed> {
    let (gone, live) = (one_thread(), paused());
    let mut holder = call(for_ever());
    let mut waiter = call(nothing());
    gone.block_on(async {
        assert!(poll_once(holder.as_mut()).await.is_none(), "its body runs");
        assert!(poll_once(waiter.as_mut()).await.is_none(), "it waits");
    });
    drop(gone);
    goes_on(&live, waiter)
}

/// A thread of the runtime's blocking pool holds the permit, and outlives the runtime.
fn a_call_that_waits_for_a_thread_of_a_runtime_that_is_gone(
    call: fn(Body) -> Call,
) -> Result<(), Elapsed> {
    let (gone, live) = (one_thread(), paused());
    let (leave, may_leave) = mpsc::channel::<()>();
    let (entered, has_entered) = oneshot::channel();
    let handle = gone.handle().clone();
    let thread = gone.spawn_blocking(move || {
        handle.block_on(call(Box::pin(async move {
            entered.send(()).unwrap();
            // The thread ends when the sender is dropped.
            may_leave.recv().unwrap_err();
        })));
    });
    gone.block_on(has_entered).unwrap();
    let mut waiter = call(nothing());
    gone.block_on(async { assert!(poll_once(waiter.as_mut()).await.is_none(), "it waits") });
    gone.shutdown_background();
    let result = goes_on(&live, waiter);
    drop(leave);
    live.block_on(thread).expect("the thread ends");
    result
}

/// Runs a script in both forms. All scripts share one test, because they use one static semaphore.
#[test]
fn where_a_static_semaphore_hangs_the_annotated_function_goes_on() {
    type Script = fn(fn(Body) -> Call) -> Result<(), Elapsed>;
    let scripts: [(&str, Script); 4] = [
        ("a holder on an idle runtime", a_holder_on_an_idle_runtime),
        ("the first waiter on an idle runtime", the_first_waiter_on_an_idle_runtime),
        ("polled on a runtime that is gone", a_call_polled_on_a_runtime_that_is_gone),
        (
            "waiting for a thread of a runtime that is gone",
            a_call_that_waits_for_a_thread_of_a_runtime_that_is_gone,
        ),
    ];
    for (name, script) in scripts {
        let hand_written = script(|body| Box::pin(by_hand(body)));
        assert!(hand_written.is_err(), "{name}: the static semaphore hangs");
        let annotated = script(|body| Box::pin(annotated(body)));
        assert_eq!(annotated, Ok(()), "{name}: the annotated function goes on");
    }
}

#[test]
fn with_scope_process_a_holder_on_an_idle_runtime_is_waited_for() {
    let result = a_holder_on_an_idle_runtime(|body| Box::pin(of_the_process(body)));
    result.expect_err("the permit is the process's, and is out");
}

#[test]
fn a_waiter_moved_to_another_runtime_is_woken_there_when_its_own_ends() {
    let (gone, live) = (one_thread(), paused());
    let mut holder: Call = Box::pin(annotated(for_ever()));
    let mut waiter: Call = Box::pin(annotated(nothing()));
    gone.block_on(async {
        assert!(poll_once(holder.as_mut()).await.is_none(), "its body runs");
        assert!(poll_once(waiter.as_mut()).await.is_none(), "it waits");
    });
    let (polled, was_polled) = oneshot::channel();
    let task = live.spawn(async move {
        let done = poll_once(waiter.as_mut()).await;
        assert!(done.is_none(), "it is in the queue of the runtime that polled it first");
        polled.send(()).unwrap();
        waiter.await;
    });
    live.block_on(was_polled).unwrap();
    drop(gone);
    let task = async { task.await.expect("the task does not panic") };
    goes_on(&live, task).expect("the waiter was woken and admitted");
}
