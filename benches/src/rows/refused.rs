//! Refusals: all permits are held, and nobody may wait.

use std::hint::black_box;
use std::time::Duration;

use limit_runtime::{Limiter, Rejected};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::tasks::{TASKS, all, in_a_row};
use super::{Kind, Row, Selection, against_peer, allocations, row_against_peer, two_workers};
use crate::subjects::{PEER, body};
use limit_benches::measure::{Contestant, compare_calls};

const OURS: &str = "acquire";

pub(crate) const ROWS: [Kind; 2] =
    [Kind::one_task("refused", refused), Kind::many_tasks("refused-burst", burst)];

static LIMITER: Limiter<Rejected> = Limiter::new("refused", 1).max_waiting(0);
static SEMAPHORE: Semaphore = Semaphore::const_new(1);

async fn ours(value: u32) -> u32 {
    u32::from(LIMITER.acquire().await.is_err()) + body(value)
}

async fn by_hand(value: u32) -> u32 {
    u32::from(SEMAPHORE.try_acquire().is_err()) + body(value)
}

/// Runs `measure` while all permits are held.
fn without_permits(measure: impl FnOnce(&Runtime) -> Row) -> Row {
    let runtime = two_workers();
    let _ours = runtime.block_on(async { LIMITER.acquire().await.expect("it is free") });
    let _theirs = SEMAPHORE.try_acquire().expect("it is free");
    measure(&runtime)
}

/// Adds the allocations of one call to the cells.
fn with_allocations(mut row: Row, counted: impl Fn(&str) -> f64) -> Row {
    for cell in &mut row.cells {
        cell.allocations = Some(counted(&cell.subject));
    }
    row
}

fn refused(selection: &Selection, name: &str) -> Row {
    without_permits(|runtime| {
        let contestants = vec![in_a_row(runtime, OURS, ours), in_a_row(runtime, PEER, by_hand)];
        let what =
            "no permit free and nobody may wait; by hand: try_acquire, whose error has no figures";
        let row = against_peer(selection, name, what, contestants);
        with_allocations(row, |subject| {
            let counted = match subject {
                OURS => runtime.spawn(allocations::of_one_call(|| ours(1))),
                _ => runtime.spawn(allocations::of_one_call(|| by_hand(1))),
            };
            runtime.block_on(counted).expect("the task ends")
        })
    })
}

/// Measures a burst that all tasks make at once.
fn burst(selection: &Selection, name: &str) -> Row {
    async fn refusals<F: Future<Output = u32>>(count: u32, call: impl Fn(u32) -> F) {
        for value in 0..count {
            black_box(call(value).await);
        }
    }

    const CALLS: u32 = 100_000;
    let each = CALLS.div_ceil(TASKS);
    without_permits(|runtime| {
        let what = "100,000 refusals at once, by 64 tasks (2 workers)";
        eprintln!("{name}: {what}");
        let burst = |subject: &str| -> Duration {
            match subject {
                OURS => all(runtime, |_| refusals(each, ours)),
                _ => all(runtime, |_| refusals(each, by_hand)),
            }
        };
        let contestants = [OURS, PEER].map(|one| Contestant::new(one, false, move |_| burst(one)));
        let mut contestants = Vec::from(contestants);
        contestants.retain(|one| one.name == PEER || selection.subject(one.name));
        let series = compare_calls(selection.plan.rounds, each * TASKS, &mut contestants);
        with_allocations(row_against_peer(name, what, &series), |subject| {
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| match subject {
                    OURS => runtime.spawn(allocations::of_all_polls(refusals(each, ours))),
                    _ => runtime.spawn(allocations::of_all_polls(refusals(each, by_hand))),
                })
                .collect();
            let counted = tasks.into_iter().map(|task| runtime.block_on(task).expect("it ends"));
            let total = u32::try_from(counted.sum::<u64>()).unwrap_or(u32::MAX);
            f64::from(total) / f64::from(each * TASKS)
        })
    })
}
