//! The figures of a limit that adapts, as a row has them.

use crate::seconds::Seconds;
use limit_runtime::inspect::LimiterReading;
use limit_runtime::{AdaptedCounts, AdaptiveCause, AdaptiveFigures, Favor};
use serde::Serialize;

/// A limit that adapts. `openapi.json` describes the fields.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as a reader of the JSON expects it")]
pub(crate) struct Adaptive {
    low: usize,
    high: usize,
    /// The limit that was chosen; with keys, the total.
    limit: usize,
    base_time: Option<Seconds>,
    time: Option<Seconds>,
    /// The running calls that wait for others behind the limiter.
    queue: Option<usize>,
    advice: Option<usize>,
    /// `true` if the limiter only advises.
    advises: bool,
    favor: Option<Favor>,
    asking: bool,
    frozen: bool,
    held_off: bool,
    /// The changes by reason, of all limiters with the name.
    changes: AdaptedCounts,
    last_change: Option<LastChange>,
}

/// The last change of a limit that adapts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct LastChange {
    reason: AdaptiveCause,
    /// The time of the reading that saw it, in milliseconds since 1970. `None` if it was before the first one.
    time: Option<u64>,
}

impl Adaptive {
    /// Returns `None` if the limit does not adapt.
    pub(crate) fn from_reading(reading: &LimiterReading) -> Option<Self> {
        let AdaptiveFigures {
            low,
            high,
            limit,
            base_time,
            time,
            queue,
            advice,
            is_advising,
            favor,
            is_asking,
            is_frozen,
            is_held_off,
            last_change,
            ..
        } = reading.adaptive?;
        Some(Self {
            low,
            high,
            limit,
            base_time: base_time.map(Seconds::in_microseconds),
            time: time.map(Seconds::in_microseconds),
            queue,
            advice,
            advises: is_advising,
            favor,
            asking: is_asking,
            frozen: is_frozen,
            held_off: is_held_off,
            changes: reading.totals.counters.adapted(),
            last_change: last_change.map(|reason| LastChange { reason, time: None }),
        })
    }

    /// Notes when the last change was seen: at this time, or as the reading before knew it.
    pub(crate) fn date(&mut self, before: Option<&Self>, time: u64) {
        let Some((last, before)) = self.last_change.as_mut().zip(before) else { return };
        last.time = if before.changes == self.changes {
            before.last_change.and_then(|last| last.time)
        } else {
            Some(time)
        };
    }
}
