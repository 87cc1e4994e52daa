//! A deadlock causes one warning, an event at each limiter, and with `OnDeadlock::Refuse` a refusal.

use crate::support::{
    Work, deadlocks, runtime, until_busy, until_ended, until_found, until_looked,
};
use limit_runtime::{
    Event, EventKind, Limiter, OnDeadlock, Rejected, RejectedKind, concurrency_limit,
};
use limit_tests::log::{Listener, Told};
use limit_tests::watchdog::until;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use tokio::sync::Barrier;
use tokio::sync::broadcast::Receiver;
use tracing::{Level, Metadata};

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Told>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps all warnings from now on.
fn listen() {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| {
        let is_ours = |metadata: &Metadata<'_>| {
            metadata.target() == "limit_runtime" && *metadata.level() == Level::WARN
        };
        let keep = |event: &tracing::Event<'_>| {
            let told = Told::read(event);
            let panics = told.field("limiter").starts_with("told-panics");
            lock().push(told);
            assert!(!panics, "as the test wants it");
        };
        let listener = Listener::new(is_ours, keep);
        tracing::subscriber::set_global_default(listener).expect("nobody else listens");
    });
}

/// Returns the warnings of deadlocks that name a limiter. Beside them there are some of the order of limiters.
fn warnings(limiter: &str) -> Vec<String> {
    let name = format!("`{limiter}`");
    let messages = lock().iter().map(|told| told.field("message").to_owned()).collect::<Vec<_>>();
    let is_its = |message: &String| message.starts_with("deadlock: ") && message.contains(&name);
    messages.into_iter().filter(is_its).collect()
}

fn until_warned(limiter: &str) -> String {
    until(&format!("{limiter} is warned of"), || !warnings(limiter).is_empty());
    warnings(limiter).remove(0)
}

/// Returns how often a subscriber was told of a deadlock.
fn count_deadlocks(events: &mut Receiver<Event>) -> usize {
    std::iter::from_fn(|| events.try_recv().ok())
        .filter(|event| event.kind == EventKind::Deadlock)
        .count()
}

#[test]
fn a_deadlock_is_warned_of_once_with_the_whole_chain() {
    static A: Limiter = Limiter::new("told-a", 1);
    static B: Limiter = Limiter::new("told-b", 1);
    listen();
    let mut events = [A.subscribe(), B.subscribe()];
    let (runtime, both) = (runtime(), Arc::new(Barrier::new(2)));
    let tasks = [[&A, &B], [&B, &A]].map(|[first, second]| {
        let both = Arc::clone(&both);
        runtime.spawn(first.run(async move {
            both.wait().await;
            drop(second.acquire().await);
        }))
    });
    let warning = until_warned(A.name());
    assert!(warning.starts_with("deadlock: 2 calls wait for each other:\n"), "{warning}");
    let lines: Vec<_> = warning.lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{warning}");
    for (line, limiter) in lines.iter().zip(["told-a", "told-b"]) {
        // The order of the two is that of their tasks, which nobody knows.
        let other = if limiter == "told-a" { "told-b" } else { "told-a" };
        let is_about = |name: &str| line.starts_with(&format!("  waits at `{name}`: "));
        assert!(is_about(limiter) || is_about(other), "{warning}");
        assert!(line.contains("told.rs:") && line.contains("; held by "), "{warning}");
    }
    for task in &tasks {
        assert!(warning.contains(&format!("task {}", task.id())), "{warning}");
    }
    until_looked();
    assert_eq!(warnings(A.name()).len(), 1, "once");
    for events in &mut events {
        assert_eq!(count_deadlocks(events), 1);
    }
    assert_eq!(deadlocks(A.name()).len(), 1, "it lasts");
}

#[test]
fn the_youngest_call_that_can_be_refused_gives_way() {
    static A: Limiter<Rejected> =
        Limiter::new("told-refuse-a", 1).max_waiting(9).on_deadlock(OnDeadlock::Refuse);
    static B: Limiter<Rejected> =
        Limiter::new("told-refuse-b", 1).max_waiting(9).on_deadlock(OnDeadlock::Refuse);
    static C: Limiter = Limiter::new("told-refuse-c", 1);
    listen();
    let (runtime, all) = (runtime(), Arc::new(Barrier::new(3)));
    let (second, last) = (Work::new(), Work::new());
    let waited = all.clone();
    let first = runtime.spawn(A.run(async move {
        waited.wait().await;
        B.acquire().await.map(drop)
    }));
    let (waited, start) = (all.clone(), second.clone());
    let youngest = runtime.spawn(B.run(async move {
        waited.wait().await;
        start.done().await;
        C.run(async {}).await;
    }));
    let start = last.clone();
    let refused = runtime.spawn(C.run(async move {
        all.wait().await;
        start.done().await;
        A.acquire().await.map(drop)
    }));
    // The one that waits for C is not the youngest, and cannot be refused.
    until_busy(&B, 1, 1);
    last.finish();
    until_busy(&A, 1, 1);
    second.finish();
    let rejected = runtime.block_on(refused).expect("no panic").expect_err("it gives way");
    assert_eq!(rejected.kind(), RejectedKind::Deadlock);
    assert_eq!(rejected.limiter(), A.name());
    let first = runtime.block_on(first).expect("no panic");
    first.expect("it runs").expect("the others go on");
    runtime.block_on(youngest).expect("no panic").expect("it runs");
    assert_eq!(A.snapshot().total.rejected.deadlock, 1);
    assert_eq!(B.snapshot().total.rejected.deadlock, 0);
    until("it is resolved", || deadlocks(A.name()).is_empty());
    assert!(
        until_warned(A.name()).contains("\n  this one gives way: "),
        "{:?}",
        warnings(A.name())
    );
}

#[test]
fn a_function_that_calls_itself_without_end_gives_way_in_its_last_call() {
    #[concurrency_limit(3, name = "told-recursion", max_waiting = 9, on_deadlock = refuse)]
    async fn walk(depth: u32) -> Result<u32, Rejected> {
        match Box::pin(walk(depth + 1)).await {
            Err(rejected) if rejected.kind() == RejectedKind::Deadlock => Ok(depth),
            other => other,
        }
    }

    assert_eq!(runtime().block_on(walk(1)).expect("the fourth call gives way"), 3);
}

#[test]
fn a_logger_that_panics_keeps_neither_the_refusal_nor_the_next_warning_back() {
    static A: Limiter<Rejected> =
        Limiter::new("told-panics", 1).max_waiting(9).on_deadlock(OnDeadlock::Refuse);
    static B: Limiter = Limiter::new("told-after-panic", 1);
    listen();
    let runtime = runtime();
    let refused = runtime.spawn(A.run(async { A.acquire().await.map(drop) }));
    let rejected = runtime.block_on(refused).expect("no panic").expect("it runs");
    assert_eq!(rejected.expect_err("it gives way").kind(), RejectedKind::Deadlock);
    runtime.spawn(B.run(async { drop(B.acquire().await) }));
    until_warned(B.name());
}

/// Calls come and go in the slot of one that is in a deadlock: none of them is refused in its place.
#[test]
fn a_call_that_has_taken_the_place_of_another_is_not_refused_for_it() {
    static A: Limiter<Rejected> =
        Limiter::new("told-slot", 1).max_waiting(9).on_deadlock(OnDeadlock::Refuse);
    let runtime = runtime();
    let mut refused = 0;
    for _ in 0..3 {
        let (give_up, started) = (Work::new(), Work::new());
        let (leaves, starts) = (give_up.clone(), started.clone());
        let task = runtime.spawn(A.run(async move {
            starts.finish();
            // It waits until the watcher has seen it for long, and leaves about when it is refused.
            tokio::select! {
                result = A.acquire() => usize::from(result.is_err()),
                () = leaves.done() => 0,
            }
        }));
        runtime.block_on(started.done());
        until_busy(&A, 1, 1);
        until("it is seen", || !deadlocks(A.name()).is_empty() || task.is_finished());
        give_up.finish();
        // Its slot is free now: others take it.
        let others: Vec<_> = (0..8)
            .map(|_| {
                runtime.spawn(async { drop(A.acquire().await.expect("it waits for no deadlock")) })
            })
            .collect();
        refused += runtime.block_on(task).expect("no panic").expect("it runs");
        until_ended(&runtime, others);
    }
    // A call may leave before it sees that it is refused.
    let rejected = A.snapshot().total.rejected.total();
    assert!((refused as u64..=3).contains(&rejected), "{refused} of {rejected}");
}

#[test]
fn one_that_is_resolved_by_others_is_gone() {
    static A: Limiter = Limiter::new("told-resolved", 1);
    let runtime = runtime();
    let task = runtime.spawn(A.run(async { drop(A.acquire().await) }));
    until_found(A.name());
    A.set_limit(2);
    until_ended(&runtime, [runtime.spawn(async { task.await.expect("no panic") })]);
    assert!(deadlocks(A.name()).is_empty());
}
