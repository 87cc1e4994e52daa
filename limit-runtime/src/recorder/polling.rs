//! Futures that run under a permit and that we poll.
//!
//! While one is polled, the number of its record stands in a variable of the thread. A call that is made meanwhile
//! notes that number. So it is known which calls are made inside which, whatever else the task does.

use super::agent::{Agent, Local};
use super::slot::Slot;

/// The time of one poll, until it is dropped.
#[must_use = "the poll lasts until it is dropped"]
pub(crate) struct Polling {
    /// The number that stood in the thread's variable before, if there is a record.
    before: Option<u64>,
    /// The slot in which the times of polls are noted.
    noted: Option<&'static Slot>,
}

impl Polling {
    /// Begins a poll. If its times `are_noted`, it is dropped before the record ends.
    #[inline]
    pub(super) fn begin(slot: Option<&'static Slot>, are_noted: bool) -> Self {
        match slot {
            Some(slot) => Self::begin_recorded(slot, are_noted),
            None => Self { before: None, noted: None },
        }
    }

    fn begin_recorded(slot: &'static Slot, are_noted: bool) -> Self {
        let agent = Agent::current();
        if slot.agent() != agent {
            slot.set_agent(agent);
        }
        if are_noted {
            slot.begin_poll();
        }
        let id = slot.id().unwrap_or(0);
        Self {
            before: Local::with(|local| local.under.replace(id)),
            noted: are_noted.then_some(slot),
        }
    }
}

impl Drop for Polling {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.before {
            Local::with(|local| local.under.set(before));
        }
        if let Some(slot) = self.noted {
            slot.end_poll();
        }
    }
}
