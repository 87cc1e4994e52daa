//! The hazards: what happens in each program, and how it is run.

use anyhow::Result;
use tokio::sync::Semaphore;

use crate::outcome::{ends, gives_way, goes_on, hangs, is_told_of, is_warned_of};
use crate::programs::{deadlock, once, order, reentry, refuse, select, stream, undriven};

/// A program that hangs with a semaphore.
pub(crate) struct Hazard {
    pub(crate) name: &'static str,
    pub(crate) situation: &'static str,
    /// Runs the program with a semaphore. Returns what happened; an error if this example promises something else.
    pub(crate) with_semaphore: fn() -> Result<String>,
    /// Does the same with a limiter.
    pub(crate) with_limiter: fn() -> Result<String>,
}

pub(crate) const ALL: [Hazard; 8] = [
    Hazard {
        name: "select",
        situation: "A call is handed the permit while `select!` runs another arm, which wants it too.",
        with_semaphore: || hangs(select::run(semaphore())),
        with_limiter: || goes_on("select", |limiter| Box::pin(select::run(limiter))),
    },
    Hazard {
        name: "once",
        situation: "A call is polled once. Then its task waits for a task that wants the permit.",
        with_semaphore: || hangs(once::run(semaphore())),
        with_limiter: || goes_on("once", |limiter| Box::pin(once::run(limiter))),
    },
    Hazard {
        name: "stream",
        situation: "The calls of a buffered stream are not polled while its consumer wants a permit.",
        with_semaphore: || hangs(stream::run(semaphore())),
        with_limiter: || goes_on("stream", |limiter| Box::pin(stream::run(limiter))),
    },
    Hazard {
        name: "undriven",
        situation: "The first call in a queue of the process is on a runtime that nobody drives.",
        with_semaphore: || hangs(undriven::run(semaphore())),
        with_limiter: || goes_on("undriven", |limiter| Box::pin(undriven::run(limiter))),
    },
    Hazard {
        name: "deadlock",
        situation: "Two functions hold a permit each, and each calls the other one.",
        with_semaphore: || hangs(deadlock::by_hand::run()),
        with_limiter: || is_told_of(deadlock::run()),
    },
    Hazard {
        name: "refuse",
        situation: "The same, with `on_deadlock = refuse`.",
        with_semaphore: || hangs(deadlock::by_hand::run()),
        with_limiter: || gives_way(refuse::run()),
    },
    Hazard {
        name: "reentry",
        situation: "A function with one permit calls itself.",
        with_semaphore: || hangs(reentry::by_hand::run()),
        with_limiter: || is_told_of(reentry::run()),
    },
    Hazard {
        name: "order",
        situation: "The functions of `deadlock` run one after the other, so they do not hang yet.",
        with_semaphore: || ends(order::by_hand::run()),
        with_limiter: || is_warned_of(order::run()),
    },
];

fn semaphore() -> &'static Semaphore {
    Box::leak(Box::new(Semaphore::new(1)))
}
