//! Calls that one task makes one after another, and calls that many tasks make at once.

use std::hint::black_box;
use std::time::Duration;

use tokio::runtime::Runtime;

use limit_benches::measure::{Contestant, time};

/// The number of tasks that call at once.
pub(crate) const TASKS: u32 = 64;

/// Spawns all tasks and waits for the last one. `make` returns the future of the task with this number.
pub(crate) fn all<F>(runtime: &Runtime, make: impl Fn(u32) -> F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    time(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS).map(|number| tokio::spawn(make(number))).collect();
            for task in tasks {
                task.await.expect("the task ends");
            }
        });
    })
}

/// Measures calls that one task makes, one after another.
pub(crate) fn in_a_row<'a, F: Future<Output = u32> + Send + 'a>(
    runtime: &'a Runtime,
    name: &'static str,
    call: impl Fn(u32) -> F + Copy + Send + 'static,
) -> Contestant<'a> {
    Contestant::new(name, true, move |count| {
        time(|| {
            let calls = runtime.spawn(async move {
                for value in 0..count {
                    black_box(call(value).await);
                }
            });
            runtime.block_on(calls).expect("the task ends");
        })
    })
}

/// Measures calls that all tasks make.
pub(crate) fn at_once<'a, F: Future<Output = u32> + Send + 'a>(
    runtime: &'a Runtime,
    name: &'static str,
    call: impl Fn(u32) -> F + Copy + Send + 'static,
) -> Contestant<'a> {
    Contestant::new(name, true, move |count| {
        let each = count.div_ceil(TASKS);
        all(runtime, |_| async move {
            for value in 0..each {
                black_box(call(value).await);
            }
        })
    })
}
