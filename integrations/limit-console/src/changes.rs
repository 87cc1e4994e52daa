//! What was changed, from what to what, when and by whom.

use crate::limiter::{Setting, Settings, Source};
use serde::Serialize;
use std::collections::VecDeque;
use std::time::Duration;

/// So many changes are kept of each limiter.
const KEPT: usize = 100;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Change {
    /// In milliseconds since 1970, to the tick.
    pub(super) time: u64,
    pub(super) setting: &'static str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) source: Source,
    /// Who has done it, if that was by the console.
    pub(super) by: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Log(VecDeque<Change>);

impl Log {
    pub(super) fn add(&mut self, changes: &[Change]) {
        for change in changes {
            self.0.push_front(change.clone());
        }
        self.0.truncate(KEPT);
    }

    /// The newest first.
    pub(super) fn all(&self) -> Vec<Change> {
        self.0.iter().cloned().collect()
    }
}

/// What is different.
pub(super) fn changes(
    (before, was_closed): (&Settings, bool),
    (after, is_closed): (&Settings, bool),
    time: u64,
    by: Option<&str>,
) -> Vec<Change> {
    let change = |setting, from: String, to: String, source| {
        let by = by.map(ToOwned::to_owned);
        (from != to).then_some(Change { time, setting, from, to, source, by })
    };
    let closed = |closed: bool| if closed { "closed" } else { "open" }.to_owned();
    let all = [
        of("limit", &before.limit, &after.limit, ToString::to_string, change),
        of("max_waiting", &before.max_waiting, &after.max_waiting, |most| or_none(*most), change),
        of("max_wait", &before.max_wait, &after.max_wait, |wait| wait_of(*wait), change),
        of("enabled", &before.enabled, &after.enabled, |on| on_off(*on), change),
        of("shadow", &before.shadow, &after.shadow, |on| on_off(*on), change),
        change("closed", closed(was_closed), closed(is_closed), Source::Live),
    ];
    all.into_iter().flatten().collect()
}

fn of<T>(
    name: &'static str,
    before: &Setting<T>,
    after: &Setting<T>,
    show: fn(&T) -> String,
    change: impl Fn(&'static str, String, String, Source) -> Option<Change>,
) -> Option<Change> {
    change(name, show(&before.value), show(&after.value), after.source)
}

fn or_none(most: Option<usize>) -> String {
    most.map_or_else(|| "any number".to_owned(), |most| most.to_string())
}

fn wait_of(wait: Option<Duration>) -> String {
    wait.map_or_else(|| "for ever".to_owned(), |wait| format!("{wait:?}"))
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}
