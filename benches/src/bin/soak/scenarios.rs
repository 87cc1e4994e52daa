//! What is done to limiters. A scenario is a function that one thread runs in a round.
//!
//! To add one: write a file with a function `act` in the folder `scenarios`, and a line in [`ALL`]. It
//! makes calls for as long as [`Stage::may_call`] says, by [`Subject::call`] and its like, which check
//! the cap and keep count. It returns when all of its calls have ended, with the runtimes that still
//! are there. Limiters it may have from [`Stage::shared`], or make some by [`Stage::subject`]. Random
//! choices come from the [`Random`] that it is given, so that a seed repeats them.
//!
//! Faults are found by themselves: a permit over the cap by the ledger, a call that does not end by
//! whoever waits for the scenario, and what was lost when all is quiet. What only the scenario can
//! know, it tells by [`fault`](crate::score::fault). A task that may go on after the scenario has
//! returned keeps the stage, because all is quiet when nobody has it any more.
//!
//! [`Subject::call`]: crate::subject::Subject::call

mod annotated;
mod bursts;
mod changes;
mod dropped;
mod ended;
mod first_use;
mod foreign;
mod moved;
#[cfg(feature = "task")]
mod pools;
mod readings;
mod tasks;

use crate::random::Random;
use crate::stage::{Numbered, Stage};
use std::sync::Arc;

/// Something that is done to limiters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) act: Act,
    /// Whether it changes limiters that it has not made. Then others are waited for after it.
    pub(crate) changes: bool,
}

/// Does it, on a thread of its own. Gives the runtimes that it leaves behind, on which nothing runs.
pub(crate) type Act = fn(&Arc<Stage>, Random) -> Vec<Numbered>;

const fn scenario(name: &'static str, act: Act, about: &'static str) -> Scenario {
    Scenario { name, about, act, changes: false }
}

/// All scenarios.
pub(crate) const ALL: &[Scenario] = &[
    scenario("annotated", annotated::act, "functions with the attribute"),
    scenario(
        "bursts",
        bursts::act,
        "rates: bursts, idle phases, and a thread that takes snapshots",
    ),
    Scenario {
        changes: true,
        ..scenario("changes", changes::act, "limits, closing, shadow and so on are changed")
    },
    scenario("dropped", dropped::act, "limiters are dropped with permits out, and made anew"),
    scenario("ended", ended::act, "a runtime ends slowly while the next one begins"),
    scenario("first-use", first_use::act, "several threads use a limiter for the first time"),
    scenario("foreign", foreign::act, "executors with wakers that panic, poll, sleep, or look"),
    scenario("moved", moved::act, "calls that wait move from one runtime to the next"),
    #[cfg(feature = "task")]
    scenario("pools", pools::act, "pools of tasks, which panic and are aborted"),
    scenario("readings", readings::act, "snapshots, events, and draining"),
    scenario("tasks", tasks::act, "tasks on runtimes that come and go, cancelled at any moment"),
];
