//! The hazards: what happens in each program, and how it is run.

use anyhow::Result;
use tokio::sync::Semaphore;

use crate::outcome::{Program, goes_on};
use crate::programs::{once, select, stream, undriven};

/// A program that hangs with a semaphore.
pub(crate) struct Hazard {
    pub(crate) name: &'static str,
    pub(crate) situation: &'static str,
    pub(crate) with_semaphore: fn() -> Program,
    /// Runs the program with a limiter. Returns what the limiter did; an error if that is not what this example
    /// promises.
    pub(crate) with_limiter: fn() -> Result<String>,
}

pub(crate) const ALL: [Hazard; 4] = [
    Hazard {
        name: "select",
        situation: "A call is handed the permit while `select!` runs another arm, which wants it too.",
        with_semaphore: || Box::pin(select::run(semaphore())),
        with_limiter: || goes_on("select", |limiter| Box::pin(select::run(limiter))),
    },
    Hazard {
        name: "once",
        situation: "A call is polled once. Then its task waits for a task that wants the permit.",
        with_semaphore: || Box::pin(once::run(semaphore())),
        with_limiter: || goes_on("once", |limiter| Box::pin(once::run(limiter))),
    },
    Hazard {
        name: "stream",
        situation: "The calls of a buffered stream are not polled while its consumer wants a permit.",
        with_semaphore: || Box::pin(stream::run(semaphore())),
        with_limiter: || goes_on("stream", |limiter| Box::pin(stream::run(limiter))),
    },
    Hazard {
        name: "undriven",
        situation: "The first call in a queue of the process is on a runtime that nobody drives.",
        with_semaphore: || Box::pin(undriven::run(semaphore())),
        with_limiter: || goes_on("undriven", |limiter| Box::pin(undriven::run(limiter))),
    },
];

fn semaphore() -> &'static Semaphore {
    Box::leak(Box::new(Semaphore::new(1)))
}
