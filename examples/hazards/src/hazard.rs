//! The hazards: what happens in each program, and how it is run.

use anyhow::Result;
use tokio::sync::Semaphore;

use crate::outcome::{Outcome, ends, gives_way, goes_on, hangs, is_told_of, is_warned_of};
use crate::programs::{deadlock, once, order, reentry, refuse, select, stream, undriven};

/// A program that hangs with a semaphore.
pub(crate) struct Hazard {
    pub(crate) name: &'static str,
    pub(crate) situation: &'static str,
    /// How to mend it, in one line.
    pub(crate) fix: &'static str,
    /// Runs the program with a semaphore. Returns what happened; an error if this example promises something else.
    pub(crate) with_semaphore: fn() -> Result<Outcome>,
    /// Does the same with a limiter.
    pub(crate) with_limiter: fn() -> Result<Outcome>,
}

pub(crate) const ALL: [Hazard; 8] = [
    Hazard {
        name: "select",
        situation: "A call is handed the permit while `select!` runs another arm, which wants it too.",
        fix: "Give `select!` the call, not `&mut call`, so that it is dropped before the other arm runs. Or spawn it.",
        with_semaphore: || hangs(select::run(semaphore())),
        with_limiter: || goes_on("select", |limiter| Box::pin(select::run(limiter))),
    },
    Hazard {
        name: "once",
        situation: "A task polls a call once, and then waits for another task. That one needs the permit that the first call was handed.",
        fix: "Spawn the call, or drop it before its task waits for another one.",
        with_semaphore: || hangs(once::run(semaphore())),
        with_limiter: || goes_on("once", |limiter| Box::pin(once::run(limiter))),
    },
    Hazard {
        name: "stream",
        situation: "A loop takes results from `buffered` and asks for a permit itself. Meanwhile nobody polls the calls in the buffer.",
        fix: "Use `for_each_concurrent`, which polls the calls and the work on their results. Or spawn the calls.",
        with_semaphore: || hangs(stream::run(semaphore())),
        with_limiter: || goes_on("stream", |limiter| Box::pin(stream::run(limiter))),
    },
    Hazard {
        name: "undriven",
        situation: "The first call in a queue of the process is on a runtime that nobody drives.",
        fix: "Let a thread drive the runtime. Or give each runtime its own permits: `scope = runtime`, the default.",
        with_semaphore: || hangs(undriven::run(semaphore())),
        with_limiter: || goes_on("undriven", |limiter| Box::pin(undriven::run(limiter))),
    },
    Hazard {
        name: "deadlock",
        situation: "Two functions hold a permit each, and each calls the other one.",
        fix: "Take the limiters in one order. Or give the permit back before the call to the other function.",
        with_semaphore: || hangs(deadlock::by_hand::run()),
        with_limiter: || is_told_of(deadlock::run()),
    },
    Hazard {
        name: "refuse",
        situation: "The same, with `on_deadlock = refuse`.",
        fix: "The caller returns the error, and so gives its own permit back. One order is better: no call is refused.",
        with_semaphore: || hangs(deadlock::by_hand::run()),
        with_limiter: || gives_way(refuse::run()),
    },
    Hazard {
        name: "reentry",
        situation: "A function with one permit calls itself.",
        fix: "Limit the outermost function, and let the recursion run in one without a limit.",
        with_semaphore: || hangs(reentry::by_hand::run()),
        with_limiter: || is_told_of(reentry::run()),
    },
    Hazard {
        name: "order",
        situation: "The functions of `deadlock` run one after the other, so they do not hang yet.",
        fix: "Take the limiters in one order, before there are more callers.",
        with_semaphore: || ends(order::by_hand::run()),
        with_limiter: || is_warned_of(order::run()),
    },
];

fn semaphore() -> &'static Semaphore {
    Box::leak(Box::new(Semaphore::new(1)))
}
