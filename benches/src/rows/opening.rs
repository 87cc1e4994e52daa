//! The first call on a new runtime, while permits of runtimes that have ended are still held.

use std::time::{Duration, Instant};

use limit_runtime::{Limiter, Permit};

use super::{Cell, Kind, Row, Selection, this_thread};
use limit_benches::measure::{Contestant, compare_calls};

pub(crate) const ROWS: [Kind; 1] = [Kind::own_process("opening", opening)];

static LIMITER: Limiter = Limiter::new("opening", 8);

const RETIRED: usize = 1_000;
const NAME: &str = "acquire";

/// Makes so many runtimes, and keeps a permit of each while it ends.
fn permits_of_retired(count: usize) -> Vec<Permit> {
    (0..count).map(|_| this_thread().block_on(LIMITER.acquire())).collect()
}

/// Returns how long the first calls on new runtimes take.
fn first_calls(count: u32) -> Duration {
    let first_call = |_| {
        let runtime = this_thread();
        runtime.block_on(async {
            let start = Instant::now();
            drop(LIMITER.acquire().await);
            start.elapsed()
        })
    };
    (0..count).map(first_call).sum()
}

fn opening(selection: &Selection, name: &str) -> Row {
    let what =
        "the first call on a new runtime while 1,000 that have ended hold a permit, against none";
    if !selection.subject(NAME) {
        return Row::new(name, what, Vec::new());
    }
    eprintln!("{name}: {what}");
    let mut contestants = [0, RETIRED].map(|retired| {
        Contestant::new(NAME, true, move |count| {
            let held = permits_of_retired(retired);
            let took = first_calls(count);
            drop(held);
            took
        })
    });
    let series = compare_calls(selection.plan.rounds, 500, &mut contestants);
    Row::new(name, what, vec![Cell::timed(&series[1], &series[0])])
}
