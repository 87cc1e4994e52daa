//! The mode in which subscribers receive every event.

use crate::events::Event;
use tokio::sync::broadcast::Sender;

/// The subscribers of a semaphore, and the events that they have not been sent yet.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    /// The channel for events. It may have no receivers any more.
    pub(super) sender: Option<Sender<Event>>,
    /// Events that wait for the lock to be released: a subscriber's waker is foreign code.
    pub(super) unsent: Vec<Event>,
}

impl Subscribers {
    /// Returns whether there are receivers. Gives the channel up if there are none.
    #[inline]
    pub(super) fn has_receivers(&mut self) -> bool {
        self.sender.take_if(|sender| sender.receiver_count() == 0);
        self.sender.is_some()
    }
}
