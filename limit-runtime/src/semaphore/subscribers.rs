//! The mode in which subscribers receive every event.

use crate::events::Event;
use std::mem;
use tokio::sync::broadcast::Sender;

/// The subscribers of a semaphore, and the events that they have not been sent yet.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    sender: Option<Sender<Event>>,
    /// Events that wait for the lock to be released: a subscriber's waker is foreign code.
    unsent: Vec<Event>,
}

/// Events to be sent when no lock is held.
#[derive(Debug, Default)]
pub(super) struct Announcement {
    pub(super) events: Vec<Event>,
    pub(super) sender: Option<Sender<Event>>,
}

impl Subscribers {
    /// Sends events to this channel from now on.
    pub(super) fn set(&mut self, sender: Sender<Event>) {
        self.sender = Some(sender);
    }

    /// Returns whether a channel is set. It may have no receivers any more.
    pub(super) fn has_sender(&self) -> bool {
        self.sender.is_some()
    }

    /// Returns whether there are receivers. Gives the channel up if there are none.
    #[inline]
    pub(super) fn has_receivers(&mut self) -> bool {
        self.sender.take_if(|sender| sender.receiver_count() == 0);
        self.sender.is_some()
    }

    /// Keeps an event until the lock is released.
    pub(super) fn push(&mut self, event: Event) {
        self.unsent.push(event);
    }

    /// Returns whether there are events to send.
    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Takes the events out that are to be sent.
    pub(super) fn take_unsent(&mut self) -> Announcement {
        let events = mem::take(&mut self.unsent);
        // A clone of the channel is an atomic operation: only for events that there are.
        let sender = if events.is_empty() { None } else { self.sender.clone() };
        Announcement { events, sender }
    }

    /// Takes the events out that are to be sent, and gives the channel up.
    pub(super) fn close(&mut self) -> Announcement {
        Announcement { events: mem::take(&mut self.unsent), sender: self.sender.take() }
    }
}
