//! A million waiters in one queue: the time to serve one and to cancel one, against the same with a
//! thousand, and the memory of each waiter.

mod contenders;
mod ring;
mod rows;

use super::{Row, Selection, this_thread};
use rows::Rows;

const SERVE: &str = "million-serve";
const CANCEL: &str = "million-cancel";
const CANCEL_RANDOM: &str = "million-cancel-random";
const MEMORY: &str = "memory";

/// Measures the selected rows of the four.
pub(crate) fn rows(selection: &Selection) -> Vec<Row> {
    if ![SERVE, CANCEL, CANCEL_RANDOM, MEMORY].into_iter().any(|name| selection.row(name)) {
        return Vec::new();
    }
    let row = |name, what: &str| Row::new(name, what, Vec::new());
    let mut rows = Rows {
        plan: selection.plan,
        waiters: selection.waiters,
        serve: row(SERVE, "a million waiters in one queue: serve one, against a thousand"),
        cancel: row(CANCEL, "the same: cancel the one in the middle, and one joins"),
        cancel_random: row(
            CANCEL_RANDOM,
            "the same: cancel any one at random (the processor's caches count)",
        ),
        memory: row(MEMORY, "bytes of one waiter beyond its own future"),
    };
    // The context of a runtime is entered, as for usual calls, though this thread polls them.
    let runtime = this_thread();
    let context = runtime.enter();
    contenders::measure_all(selection, &mut rows);
    drop(context);
    let Rows { serve, cancel, cancel_random, memory, .. } = rows;
    [serve, cancel, cancel_random, memory]
        .into_iter()
        .filter(|row| selection.row(&row.name))
        .collect()
}
