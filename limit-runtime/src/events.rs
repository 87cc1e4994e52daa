//! Events at a limiter, for subscribers.

use crate::rejected::RejectedKind;

/// An event at a limiter, with the figures just after it. See
/// [`Limiter::subscribe`](crate::Limiter::subscribe).
///
/// The figures are those of the runtime in which it happened. With keys, `limit` is for each key,
/// and the other figures are over all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Event {
    /// The kind of the event.
    pub kind: EventKind,
    /// The number of permits.
    pub limit: usize,
    /// The permits that are out.
    pub in_use: usize,
    /// The calls that wait.
    pub waiting: usize,
}

/// The kinds of [`Event`].
///
/// | event | when | `serde` |
/// |---|---|---|
/// | [`Waiting`](Self::Waiting) | a call joined the queue | `waiting` |
/// | [`Admitted`](Self::Admitted) | a call was handed its permits, at once or after waiting | `admitted` |
/// | [`Rejected`](Self::Rejected) | a call was refused, at once or after waiting, with the [kind](RejectedKind) of reason | `rejected` |
/// | [`Cancelled`](Self::Cancelled) | a call was dropped while it waited, or before it saw that it had been handed its permits | `cancelled` |
/// | [`Released`](Self::Released) | permits came back | `released` |
/// | [`LimitChanged`](Self::LimitChanged) | the limit was changed | `limit_changed` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum EventKind {
    /// A call joined the queue.
    Waiting,
    /// A call was handed its permits, at once or after waiting.
    Admitted,
    /// A call was refused, at once or after waiting.
    Rejected(RejectedKind),
    /// A call was dropped while it waited, or before it noticed that it had been handed its
    /// permits.
    Cancelled,
    /// Permits came back.
    Released,
    /// The limit was changed.
    LimitChanged,
}

/// The number of events that are kept for a slow receiver.
pub(crate) const KEPT: usize = 1024;

#[cfg(all(test, feature = "serde", not(limit_loom)))]
mod tests {
    use super::EventKind::{self, Admitted, Cancelled, LimitChanged, Rejected, Released, Waiting};
    use crate::rejected::RejectedKind;

    #[test]
    fn the_table_has_every_event() {
        let all =
            [Waiting, Admitted, Rejected(RejectedKind::Closed), Cancelled, Released, LimitChanged];
        let row = |kind: EventKind| {
            // A kind that is missing above does not compile here.
            let name = match kind {
                Waiting => "Waiting",
                Admitted => "Admitted",
                Rejected(_) => "Rejected",
                Cancelled => "Cancelled",
                Released => "Released",
                LimitChanged => "LimitChanged",
            };
            let serialised = serde_json::to_string(&kind).expect("it is serialised");
            let tag = serialised.split('"').nth(1).expect("a name").to_owned();
            (format!("/// | [`{name}`]"), format!("| `{tag}` |"))
        };
        let table: Vec<_> =
            include_str!("events.rs").lines().filter(|line| line.starts_with("/// | [`")).collect();
        assert_eq!(table.len(), all.len());
        for (line, kind) in table.iter().zip(all) {
            let (start, end) = row(kind);
            assert!(line.starts_with(&start) && line.ends_with(&end), "{line}");
        }
    }
}
