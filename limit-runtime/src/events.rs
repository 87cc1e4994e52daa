//! Events at a limiter, for subscribers.

use crate::rejected::RejectedKind;
use crate::variants::all_variants;

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
/// | [`Released`](Self::Released) | permits came back: all of a call, or a [part](crate::Permit::split) | `released` |
/// | [`TakenBack`](Self::TakenBack) | a grant that its waiter had not claimed was taken back, which undoes an `Admitted`; the waiter waits on | `taken_back` |
/// | [`Deadlock`](Self::Deadlock) | the limiter is part of a deadlock (feature `diagnostics`) | `deadlock` |
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
    /// Permits came back: all of a call, or a [part](crate::Permit::split) of them.
    Released,
    /// A grant that its waiter had not claimed was taken back: see
    /// [`claim_within`](crate::Limiter::claim_within). It undoes an [`Admitted`](Self::Admitted). The waiter
    /// keeps its place in the queue.
    TakenBack,
    /// The limiter is part of a deadlock. There is one event for each deadlock that is found, with the figures of
    /// all runtimes together. Deadlocks are found with the feature `diagnostics`, while
    /// `diagnostics::record` is on.
    Deadlock,
    /// The limit was changed.
    LimitChanged,
}

impl EventKind {
    /// All kinds. A refusal is there once for each [`RejectedKind`].
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::{EventKind, RejectedKind};
    ///
    /// assert!(EventKind::ALL.contains(&EventKind::Rejected(RejectedKind::TimedOut)));
    /// ```
    pub const ALL: &'static [Self] = &{
        let mut all = [Self::Waiting; Self::OTHERS.len() + RejectedKind::ALL.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = if index < Self::OTHERS.len() {
                Self::OTHERS[index]
            } else {
                Self::Rejected(RejectedKind::ALL[index - Self::OTHERS.len()])
            };
            index += 1;
        }
        all
    };

    /// All kinds but refusals.
    const OTHERS: [Self; 7] = all_variants!(
        EventKind: Waiting, Admitted, Cancelled, Released, TakenBack, Deadlock, LimitChanged;
        except EventKind::Rejected(_)
    );

    /// Returns the name in figures and with `serde`, such as `limit_changed`. The name of a refusal does not say the
    /// reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Admitted => "admitted",
            Self::Rejected(_) => "rejected",
            Self::Cancelled => "cancelled",
            Self::Released => "released",
            Self::TakenBack => "taken_back",
            Self::Deadlock => "deadlock",
            Self::LimitChanged => "limit_changed",
        }
    }
}

/// The number of events that are kept for a slow receiver.
pub(crate) const KEPT: usize = 1024;

#[cfg(all(test, feature = "serde", not(limit_loom)))]
mod tests {
    use super::EventKind;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_and_the_list_have_every_event() {
        let kinds = EventKind::ALL.iter().map(|kind| {
            let serialised = serde_json::to_string(kind).expect("it is serialised");
            let tag = serialised.split('"').nth(1).expect("a name").to_owned();
            assert_eq!(tag, kind.as_str());
            let name = format!("{kind:?}");
            let name = name.split('(').next().expect("a name");
            (format!("/// | [`{name}`](Self::{name}) |"), format!("| `{tag}` |"))
        });
        let kinds: BTreeSet<_> = kinds.collect();
        let lines = include_str!("events.rs").lines();
        let table: Vec<_> = lines.filter(|line| line.starts_with("/// | [`")).collect();
        assert_eq!(table.len(), kinds.len());
        for (start, end) in kinds {
            let is_row = |line: &&&str| line.starts_with(&start) && line.ends_with(&end);
            assert_eq!(table.iter().filter(is_row).count(), 1, "{start} … {end}");
        }
    }
}
