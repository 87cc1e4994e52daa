//! Tells the agents that only wait from those that may do something else meanwhile.
//!
//! A record says who holds a permit and who waits. It does not say whether the one is inside the other: a future may
//! poll several calls side by side (`join!`, `select!`), and then one of them waits while another works. Only a call
//! that is *inside* another keeps that one's permit. These rules say what is known to be side by side. See the docs
//! of [`deadlocks`](super::deadlocks) for what remains.

use crate::recorder::Record;
use crate::recorder::{Agent, Kind, moved};
use std::collections::{HashMap, HashSet};
use std::panic::Location;

/// An agent that waits for one call, and can do nothing else.
#[derive(Clone, Debug)]
pub(super) struct Blocked<'a> {
    pub(super) wait: &'a Record,
    /// The calls around it: their permits come back after the wait.
    pub(super) holds: Vec<&'a Record>,
}

/// Knowledge of calls beside their records.
pub(super) trait Knowledge {
    /// Returns whether a call that waits has not been polled for so long that its task does nothing else.
    fn is_still(&self, wait: &Record) -> bool;

    /// Returns whether calls of the first place have been seen to end while one of the second waited in the same
    /// task.
    fn are_beside(&self, hold: &Location<'static>, wait: &Location<'static>) -> bool;
}

/// How a call that holds permits lies to the call that its agent waits for.
enum Lie {
    /// The wait is inside it.
    Around,
    /// They are side by side: the agent may go on in the other one.
    Beside,
    /// Its permits may be anywhere.
    Elsewhere,
}

/// Less than any frame of a limited function takes on the stack. (Measured: a function that calls itself through a box
/// is 192 bytes deeper in a release build and 416 in a debug build, and two calls of it in one `join!`, of which one is
/// a trait object, differ by 48.)
const FRAME: u32 = 64;

/// More than the frames between the body of a function and the place where its depth is measured: the `poll`s of our own
/// futures, which the compiler may inline in one function and not in another.
const OUR_FRAMES: u32 = 1024;

/// Returns the agents that only wait.
pub(super) fn blocked<'a>(records: &'a [Record], knowledge: &impl Knowledge) -> Vec<Blocked<'a>> {
    let mut agents: HashMap<Agent, (u32, Blocked<'a>)> = HashMap::new();
    for wait in records.iter().filter(|record| !record.info.holds) {
        if wait.agent != Agent::Nobody {
            let first = || (0, Blocked { wait, holds: Vec::new() });
            agents.entry(wait.agent).or_insert_with(first).0 += 1;
        }
    }
    // An agent with several waits makes calls side by side. A call that gives up lets its agent go on.
    agents.retain(|_, (waits, Blocked { wait, .. })| {
        *waits == 1 && !wait.info.gives_up && wait.info.slot.is_some() && knowledge.is_still(wait)
    });
    for hold in records.iter().filter(|record| record.info.holds) {
        if let Some((_, blocked)) = agents.get_mut(&hold.agent) {
            blocked.holds.push(hold);
        }
    }
    let polled = records.iter().filter(|record| record.info.kind == Kind::Polled);
    let outer: HashMap<_, _> = polled.map(|record| (record.info.id, record.info.under)).collect();
    let all = agents.into_values().map(|(_, blocked)| blocked);
    all.filter_map(|blocked| blocked.without_others(&outer, knowledge)).collect()
}

impl Blocked<'_> {
    /// Keeps the holds around the wait. Returns `None` if the agent may do something else.
    fn without_others(
        mut self,
        outer: &HashMap<u64, u64>,
        knowledge: &impl Knowledge,
    ) -> Option<Self> {
        let wait = self.wait;
        let around = around(wait, |id| outer.get(&id).copied());
        let mut is_alive = false;
        let are_beside = |hold: &_, wait: &_| knowledge.are_beside(hold, wait);
        self.holds.retain(|hold| match lie(hold, wait, &around, are_beside) {
            Lie::Around => true,
            Lie::Beside => {
                is_alive = true;
                false
            }
            Lie::Elsewhere => false,
        });
        (!is_alive).then_some(self)
    }
}

/// Returns the numbers of the records whose futures we polled when a call began. `outer` returns the number of the
/// record around another one.
pub(in super::super) fn around(call: &Record, outer: impl Fn(u64) -> Option<u64>) -> HashSet<u64> {
    let mut around = HashSet::new();
    let mut next = call.info.under;
    while next != 0 && around.insert(next) {
        next = outer(next).unwrap_or(0);
    }
    around
}

/// Returns whether a call lies inside another one of its agent, which has permits.
pub(in super::super) fn is_inside(
    call: &Record,
    hold: &Record,
    around: &HashSet<u64>,
    are_beside: impl Fn(&Location<'static>, &Location<'static>) -> bool,
) -> bool {
    matches!(lie(hold, call, around, are_beside), Lie::Around)
}

/// Says how a hold lies to the wait of its agent. `around` has the numbers of the records whose futures we polled
/// when the wait began.
fn lie(
    hold: &Record,
    wait: &Record,
    around: &HashSet<u64>,
    are_beside: impl Fn(&Location<'static>, &Location<'static>) -> bool,
) -> Lie {
    if hold.info.kind == Kind::Polled {
        // We know what is inside a future that we poll.
        return if around.contains(&hold.info.id) { Lie::Around } else { Lie::Beside };
    }
    let is_one_place = *hold.info.site == *wait.info.site;
    // A permit of the same limiter is taken at the same place again: the first has most likely gone to another task.
    let is_passed_on =
        hold.info.kind == Kind::Bare && is_one_place && hold.info.semaphore == wait.info.semaphore;
    if is_passed_on || moved::has_moved(hold.info.site) {
        return Lie::Elsewhere;
    }
    let have_other_wakers = hold.waker != wait.waker && hold.waker != 0 && wait.waker != 0;
    let is_beside = hold.info.began_after(&wait.info)
        || have_other_wakers
        || are_beside(hold.info.site, wait.info.site)
        || (hold.info.kind == Kind::Body && is_less_deep(wait, hold, is_one_place));
    if is_beside { Lie::Beside } else { Lie::Around }
}

/// Returns whether a wait is too little deep in the stack to be inside the body of the hold.
///
/// A function that calls itself is one frame deeper the second time, because a `poll` is never inlined into itself. Two
/// of its calls in one `join!` are as deep as each other. The `poll` of another function may be inlined, so nothing is
/// known of one that is as deep.
fn is_less_deep(wait: &Record, hold: &Record, is_one_place: bool) -> bool {
    let (wait, hold) = (wait.info.depth, hold.info.depth);
    if wait == 0 || hold == 0 {
        return false;
    }
    if is_one_place {
        wait < hold.saturating_add(FRAME)
    } else {
        wait.saturating_add(OUR_FRAMES) < hold
    }
}

/// Leaves out those that wait at a semaphore of which no other of them holds a permit.
pub(super) fn leave_out_served(blocked: &mut Vec<Blocked<'_>>) {
    loop {
        let holds = blocked.iter().flat_map(|blocked| &blocked.holds);
        let held: HashSet<_> = holds.map(|hold| hold.info.semaphore).collect();
        let before = blocked.len();
        blocked.retain(|blocked| held.contains(&blocked.wait.info.semaphore));
        if blocked.len() == before {
            return;
        }
    }
}
