//! Subscribers that a test reads.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// One event: its level and its fields by name, with the values as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The level of the event.
    pub level: Level,
    /// The fields, the message among them.
    pub fields: BTreeMap<&'static str, String>,
}

impl Told {
    /// Reads an event.
    pub fn read(event: &Event<'_>) -> Self {
        let mut told = Self { level: *event.metadata().level(), fields: BTreeMap::new() };
        event.record(&mut told);
        told
    }

    /// Returns the text of a field, empty if the event has no such field.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

/// A subscriber that passes each event that it is interested in to a function, and keeps no spans.
pub struct Listener<I, E> {
    is_interested: I,
    event: E,
}

impl<I, E> Listener<I, E>
where
    I: Fn(&Metadata<'_>) -> bool + 'static,
    E: Fn(&Event<'_>) + 'static,
{
    /// Creates a subscriber from its two functions.
    pub const fn new(is_interested: I, event: E) -> Self {
        Self { is_interested, event }
    }
}

impl<I, E> Debug for Listener<I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl<I, E> Subscriber for Listener<I, E>
where
    I: Fn(&Metadata<'_>) -> bool + 'static,
    E: Fn(&Event<'_>) + 'static,
{
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.is_interested)(metadata)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        (self.event)(event);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
