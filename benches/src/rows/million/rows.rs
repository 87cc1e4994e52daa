//! The measurements of one contender, and the rows that they fill.

use std::time::Duration;

use super::ring::Ring;
use crate::rows::{Cell, Row};
use limit_benches::measure::{Contestant, Plan, compare, time};

/// The number of waiters in the short queue.
const FEW: usize = 1_000;

/// The rows while they fill.
pub(super) struct Rows {
    pub(super) plan: Plan,
    pub(super) waiters: usize,
    pub(super) serve: Row,
    pub(super) cancel: Row,
    pub(super) cancel_random: Row,
    pub(super) memory: Row,
}

impl Rows {
    /// Measures one contender. Each closure calls a function with one permit of its own, whose body
    /// never ends by itself.
    pub(super) fn measure<A: Future, B: Future>(
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
            bytes: Some(kept),
            note: Some(format!(
                "its own future {} bytes; {peak:.1} at the peak, while the queue grew",
                size_of::<B>()
            )),
            ..Cell::untimed(subject)
        });
        let plan = self.plan;
        let pair = |few: &mut dyn FnMut(u32), many: &mut dyn FnMut(u32)| {
            let run = |turn: &mut dyn FnMut(u32), count| -> Duration { time(|| turn(count)) };
            let mut contestants = [
                Contestant::new(subject, true, |count| run(few, count)),
                Contestant::new(subject, true, |count| run(many, count)),
            ];
            let series = compare(plan, &mut contestants);
            Cell::timed(&series[1], &series[0])
        };
        self.serve.cells.push(pair(&mut |n| few.serve(n), &mut |n| many.serve(n)));
        self.cancel.cells.push(pair(&mut |n| few.cancel(n), &mut |n| many.cancel(n)));
        let random = pair(&mut |n| few.cancel_at_random(n), &mut |n| {
            many.cancel_at_random(n);
        });
        self.cancel_random.cells.push(random);
    }
}
