//! Many tasks that share the permits, and a fresh task for each call.

use std::hint::black_box;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::tasks::{TASKS, all};
use super::{Kind, Row, Selection, against_peer, two_workers, workers};
use crate::subjects::{Subject, contestants};
use limit_benches::measure::time;

pub(crate) const ROWS: [Kind; 7] = [
    Kind::many_tasks("contended", |selection, name| contended(selection, name, 2)),
    Kind::many_tasks("contended-4", |selection, name| contended(selection, name, 4)),
    Kind::many_tasks("contended-8", |selection, name| contended(selection, name, 8)),
    Kind::many_tasks("queued", |selection, name| queued(selection, name, 2)),
    Kind::many_tasks("queued-4", |selection, name| queued(selection, name, 4)),
    Kind::many_tasks("queued-8", |selection, name| queued(selection, name, 8)),
    Kind::many_tasks("spawned", spawned),
];

#[inline(never)]
fn contended_calls<S: Subject>(runtime: &Runtime, subject: &S, count: u32) -> Duration {
    let each = count.div_ceil(TASKS);
    all(runtime, |_| {
        let mut subject = subject.clone();
        async move {
            for value in 0..each {
                black_box(subject.free(value).await);
            }
        }
    })
}

/// Measures calls whose body does not await, so that only the workers meet at the semaphore. Workers beyond the number of
/// processors are interrupted anywhere, also while they hold permits.
fn contended(selection: &Selection, name: &str, count: usize) -> Row {
    let runtime = &workers(count);
    let contestants =
        contestants!(subject => move |count| contended_calls(runtime, &subject, count));
    let what = format!("64 tasks, 8 permits, body does not await ({count} workers)");
    with_waited("acquire_free", || against_peer(selection, name, &what, contestants))
}

/// Adds a note to the bare limiter's figure: the part of its calls that waited, by its own count.
fn with_waited(limiter: &str, measure: impl FnOnce() -> Row) -> Row {
    let figures = || {
        let total = limit_runtime::find(limiter)?.snapshot().total;
        Some([total.admitted_at_once, total.admitted_after_waiting])
    };
    let before = figures().unwrap_or_default();
    let mut row = measure();
    let after = figures().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
    let [at_once, waited] = [0, 1].map(|index| (after[index] - before[index]) as f64);
    for cell in row.cells.iter_mut().filter(|cell| cell.subject == "acquire") {
        let percent = waited / (at_once + waited) * 100.0;
        cell.note = Some(format!("{percent:.2} % of all calls waited"));
    }
    row
}

#[inline(never)]
fn queued_calls<S: Subject>(runtime: &Runtime, subject: &S, count: u32) -> Duration {
    let each = count.div_ceil(TASKS);
    all(runtime, |_| {
        let mut subject = subject.clone();
        async move {
            for value in 0..each {
                black_box(subject.queued(value).await);
            }
        }
    })
}

/// Measures calls whose body yields while it holds its permit, so that every call queues.
fn queued(selection: &Selection, name: &str, count: usize) -> Row {
    let runtime = &workers(count);
    let mut contestants =
        contestants!(subject => move |count| queued_calls(runtime, &subject, count));
    contestants.retain(|one| one.queues);
    let what =
        format!("64 tasks, 8 permits, body yields once: every call queues ({count} workers)");
    with_waited("acquire_queued", || against_peer(selection, name, &what, contestants))
}

#[inline(never)]
fn spawned_calls<S: Subject>(runtime: &Runtime, subject: S, count: u32) -> Duration {
    let batches = count.div_ceil(TASKS);
    // The code that spawns is a task too, like a server's accept loop.
    let accept = async move {
        let mut tasks = Vec::with_capacity(64);
        for _ in 0..batches {
            tasks.extend((0..TASKS).map(|value| tokio::spawn(subject.once(value))));
            for task in tasks.drain(..) {
                black_box(task.await.expect("the task ends"));
            }
        }
    };
    time(|| {
        runtime.block_on(runtime.spawn(accept)).expect("the task ends");
    })
}

/// Measures calls that are tasks of their own. A task spawns 64 of them, awaits them all, and
/// repeats.
fn spawned(selection: &Selection, name: &str) -> Row {
    let runtime = &two_workers();
    let contestants =
        contestants!(subject => move |count| spawned_calls(runtime, subject.clone(), count));
    let what = "each call in a freshly spawned task, spawn included";
    against_peer(selection, name, what, contestants)
}
