//! A million waiters in one queue: what it costs to serve one and to cancel one, held against
//! the same with a thousand, and how much memory each waiter takes.

mod contenders;
mod ring;

use std::time::Duration;

use super::{Cell, Row, Selection, Unit, cell, this_thread};
use limit_benches::measure::{Contestant, Plan, compare, time};
use ring::Ring;

/// How many waiters stand in the short queue.
const FEW: usize = 1_000;

const SERVE: &str = "million-serve";
const CANCEL: &str = "million-cancel";
const CANCEL_RANDOM: &str = "million-cancel-random";
const MEMORY: &str = "memory";

/// Whether any of the rows of this file was asked for.
pub(crate) fn asked(selection: &Selection) -> bool {
    [SERVE, CANCEL, CANCEL_RANDOM, MEMORY].into_iter().any(|name| selection.row(name))
}

/// The four rows, as far as they were asked for.
pub(crate) fn rows(selection: &Selection) -> Vec<Row> {
    let mut rows = Rows {
        plan: selection.plan,
        waiters: selection.waiters,
        serve: row(
            SERVE,
            "a million waiters in one queue: serve one, against a thousand",
            Unit::TimesSmaller,
            Some(2.0),
        ),
        cancel: row(
            CANCEL,
            "the same: cancel the one in the middle, and one joins",
            Unit::TimesSmaller,
            Some(2.0),
        ),
        cancel_random: row(
            CANCEL_RANDOM,
            "the same: cancel any one at random (the processor's caches count)",
            Unit::TimesSmaller,
            None,
        ),
        memory: row(MEMORY, "bytes of one waiter beyond its own future", Unit::Bytes, Some(64.0)),
    };
    // In the context of a runtime, as calls are, though it is this thread that polls them.
    let runtime = this_thread();
    let context = runtime.enter();
    contenders::measure_all(selection, &mut rows);
    drop(context);
    let Rows { serve, cancel, cancel_random, memory, .. } = rows;
    [serve, cancel, cancel_random, memory]
        .into_iter()
        .filter(|row| selection.row(row.name))
        .collect()
}

fn row(name: &'static str, what: &'static str, unit: Unit, at_most: Option<f64>) -> Row {
    Row { name, what, unit, at_most, cells: Vec::new() }
}

/// The rows as they fill.
struct Rows {
    plan: Plan,
    waiters: usize,
    serve: Row,
    cancel: Row,
    cancel_random: Row,
    memory: Row,
}

impl Rows {
    /// Measures one contender. Each closure makes calls of a function with one permit of its
    /// own, whose body never ends by itself.
    fn measure<A: Future, B: Future>(
        &mut self,
        subject: &'static str,
        few: impl Fn() -> A,
        many: impl Fn() -> B,
    ) {
        eprintln!("million, memory: {subject}");
        let Some((mut few, _)) = Ring::build(FEW, few) else {
            return;
        };
        let Some((mut many, memory)) = Ring::build(self.waiters, many) else {
            return;
        };
        #[expect(clippy::cast_precision_loss, reason = "far fewer bytes than 2^52")]
        let [kept, peak] = [memory.bytes_current as f64, memory.bytes_max as f64]
            .map(|bytes| bytes / self.waiters as f64);
        self.memory.cells.push(Cell {
            subject,
            figure: kept,
            ratios: Vec::new(),
            nanos: None,
            base_nanos: None,
            note: Some(format!(
                "its own future {} bytes; {peak:.1} at the peak, while the queue grew",
                size_of::<B>()
            )),
        });
        let plan = self.plan;
        let pair = |few: &mut dyn FnMut(u32), many: &mut dyn FnMut(u32)| {
            let run = |turn: &mut dyn FnMut(u32), count| -> Duration { time(|| turn(count)) };
            let mut contestants = [
                Contestant::new(subject, true, |count| run(few, count)),
                Contestant::new(subject, true, |count| run(many, count)),
            ];
            let series = compare(plan, &mut contestants);
            cell(&series[1], &series[0])
        };
        self.serve.cells.push(pair(&mut |n| few.serve(n), &mut |n| many.serve(n)));
        self.cancel.cells.push(pair(&mut |n| few.cancel(n), &mut |n| many.cancel(n)));
        let random = pair(&mut |n| few.cancel_at_random(n), &mut |n| {
            many.cancel_at_random(n);
        });
        self.cancel_random.cells.push(random);
    }
}
