//! Work that must not be done while a lock is held.

use super::wake_list::WakeList;
use crate::events::Event;
use crate::unwind::run_all_then_resume_panic;
use std::any::Any;
use std::mem;
use tokio::sync::broadcast::Sender;

/// Values to be dropped after unlocking. A user's key is foreign code when it is dropped, and a large
/// piece of memory takes its time.
pub(super) type Garbage = Vec<Box<dyn Any + Send>>;

/// Work to be done when no lock is held: events, wakers and values to drop.
///
/// Dropping a `Deferred` does the work, so that a panic on the way does not lose it. A part that
/// panics does not keep the other parts from being done.
#[derive(Debug)]
pub(crate) struct Deferred {
    pub(super) events: Vec<Event>,
    /// The channel for the events, if there are any.
    pub(super) sender: Option<Sender<Event>>,
    pub(super) wakers: WakeList,
    pub(super) garbage: Garbage,
}

#[cfg(feature = "fleet")]
impl Deferred {
    /// Makes work of a value that is to be dropped.
    pub(super) fn of_value(value: Box<dyn Any + Send>) -> Self {
        Self { events: Vec::new(), sender: None, wakers: WakeList::default(), garbage: vec![value] }
    }

    /// Makes work of wakers that are to be woken.
    pub(super) fn of_wakers(wakers: WakeList) -> Self {
        Self { events: Vec::new(), sender: None, wakers, garbage: Vec::new() }
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        /// One piece of work, each of which is foreign code.
        enum Piece {
            Send(Event),
            Wake(WakeList),
            Drop(Box<dyn Any + Send>),
        }

        let events = mem::take(&mut self.events).into_iter().map(Piece::Send);
        let wakers = [Piece::Wake(mem::take(&mut self.wakers))];
        let garbage = mem::take(&mut self.garbage).into_iter().map(Piece::Drop);
        run_all_then_resume_panic(events.chain(wakers).chain(garbage), |piece| {
            match (piece, &self.sender) {
                // An error means that the last subscriber has gone.
                (Piece::Send(event), Some(sender)) => drop(sender.send(event)),
                (Piece::Send(_), None) => {}
                (Piece::Wake(wakers), _) => wakers.wake(),
                (Piece::Drop(value), _) => drop(value),
            }
        });
    }
}
