//! The scenarios. A scenario is a function that one thread runs in a round, to use limiters in one
//! way.
//!
//! To add a scenario, write a file with a function `act` in the folder `scenarios`, and a line in
//! [`ALL`]. The function makes calls as long as [`Stage::may_call`] returns `true`.
//! [`Subject::call`] and its like check the cap and count the calls. The function returns when all
//! of its calls have ended, with the runtimes that still exist. It takes limiters from
//! [`Stage::shared`], or makes some with [`Stage::subject`]. It makes random choices with the
//! [`Random`] that it is given, so that a seed repeats them.
//!
//! The scenario need not look for most faults. The ledger finds a permit over the cap, the round
//! finds a call that does not end, and the check at the end finds losses. A scenario reports with
//! [`fault`](crate::score::fault) the faults that it alone can find. A task that may outlive its
//! scenario holds the stage, because the check at the end starts when nobody holds the stage any
//! more.
//!
//! [`Subject::call`]: crate::subject::Subject::call

mod absent;
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

/// A way to use limiters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) act: Act,
    /// `true` if it changes limiters that it has not made. The round then waits for it before the
    /// others.
    pub(crate) changes: bool,
}

/// Runs a scenario, on a thread of its own. Returns the runtimes that it leaves behind, on which
/// nothing runs.
pub(crate) type Act = fn(&Arc<Stage>, Random) -> Vec<Numbered>;

const fn scenario(name: &'static str, act: Act, about: &'static str) -> Scenario {
    Scenario { name, about, act, changes: false }
}

/// All scenarios.
pub(crate) const ALL: &[Scenario] = &[
    scenario("absent", absent::act, "calls that wait and are not polled for a while"),
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
