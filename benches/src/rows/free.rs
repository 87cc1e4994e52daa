//! Calls that find a permit free, one after another: in a task, and directly in `block_on`.

use std::hint::black_box;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::{Kind, Row, Selection, against_peer, this_thread, two_workers};
use crate::subjects::{Subject, contestants};

pub(crate) const ROWS: [Kind; 3] = [
    Kind::one_task("task", task),
    Kind::one_task("block_on", block_on),
    Kind::one_task("block_on-multi", block_on_multi),
];

/// Makes a number of calls one after another, and returns how long they took.
///
/// The future is boxed, so that each subject's loop is a function of its own and none is laid out
/// inside another's.
#[inline(never)]
fn calls<S: Subject>(mut subject: S, count: u32) -> Pin<Box<dyn Future<Output = Duration> + Send>> {
    Box::pin(async move {
        let start = Instant::now();
        for value in 0..count {
            black_box(subject.free(value).await);
        }
        start.elapsed()
    })
}

/// Measures calls of one task, on a runtime with two workers.
fn task(selection: &Selection, name: &str) -> Row {
    let runtime = &two_workers();
    let contestants = contestants!(subject => move |count| {
        let calls = runtime.spawn(calls(subject.clone(), count));
        runtime.block_on(calls).expect("the task ends")
    });
    let what = "permit free, inside a spawned task";
    against_peer(selection, name, what, contestants)
}

/// Measures calls of the future that `block_on` drives, on a runtime of this thread.
fn block_on(selection: &Selection, name: &str) -> Row {
    let runtime = &this_thread();
    let contestants =
        contestants!(subject => move |count| runtime.block_on(calls(subject.clone(), count)));
    let what = "permit free, directly in block_on (current_thread)";
    against_peer(selection, name, what, contestants)
}

/// Measures the same on a runtime with two workers.
fn block_on_multi(selection: &Selection, name: &str) -> Row {
    let runtime = &two_workers();
    let contestants =
        contestants!(subject => move |count| runtime.block_on(calls(subject.clone(), count)));
    let what = "permit free, directly in block_on (multi_thread)";
    against_peer(selection, name, what, contestants)
}
