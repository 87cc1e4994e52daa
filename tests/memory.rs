//! Runtimes that come and go leave nothing behind but their figures.
//!
//! A process of its own: what is counted here is everything that the process knows.

use allocation_counter::measure;
use limit_runtime::{concurrency_limit, find, limiters};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// Ten limited functions, one for each name, and one that calls them all.
macro_rules! limited {
    ($($name:ident)*) => {
        $(
            #[concurrency_limit(2, name = stringify!($name))]
            async fn $name() {
                yield_now().await;
            }
        )*

        const NAMES: [&str; 10] = [$(stringify!($name)),*];

        async fn call_each() {
            $($name().await;)*
        }

        fn spawn_each(runtime: &Runtime) -> Vec<tokio::task::JoinHandle<()>> {
            vec![$(runtime.spawn($name())),*]
        }
    };
}

limited!(one two three four five six seven eight nine ten);

/// A runtime that calls each of the functions once and ends, in one way or another.
fn come_and_go(turn: usize) {
    let runtime = Builder::new_current_thread().build().expect("a runtime can be made");
    if turn % 2 == 0 {
        runtime.block_on(call_each());
    } else {
        for task in spawn_each(&runtime) {
            runtime.block_on(task).expect("the task does not panic");
        }
    }
    match turn % 3 {
        0 => drop(runtime),
        1 => runtime.shutdown_background(),
        _ => runtime.shutdown_timeout(Duration::ZERO),
    }
}

#[test]
fn ten_thousand_runtimes_one_after_another_leave_nothing_behind() {
    const WARM_UP: usize = 100;
    const RUNTIMES: usize = 10_000;

    (0..WARM_UP).for_each(come_and_go);
    let allocated = measure(|| (WARM_UP..RUNTIMES).for_each(come_and_go));
    assert!(
        allocated.bytes_current < 4096,
        "memory is flat, but {} bytes are still in use",
        allocated.bytes_current
    );

    assert_eq!(limiters().len(), NAMES.len());
    for name in NAMES {
        let snapshot = find(name).expect("it was used").snapshot();
        assert_eq!(snapshot.runtimes, [], "no runtime lives");
        let total = snapshot.total;
        assert_eq!((total.in_use, total.waiting, total.cancelled), (0, 0, 0));
        let admitted = total.admitted_at_once + total.admitted_after_waiting;
        assert_eq!(admitted, RUNTIMES as u64, "of {name}");
    }
    let all = limiters().into_iter().map(|limiter| {
        let total = limiter.snapshot().total;
        total.admitted_at_once + total.admitted_after_waiting
    });
    assert_eq!(all.sum::<u64>(), 100_000);
}
