//! The part of an engine that changes.

use super::key_limits::KeyLimits;
use crate::events::Event;
use crate::metrics::{Figures, LimitChanges};
use crate::semaphore::Semaphore;
use crate::setting::Overrides;
use std::panic::Location;
use tokio::sync::broadcast::Sender;

/// The part of an engine that changes.
#[derive(Default)]
pub(super) struct EngineState {
    /// The values that override the code's.
    pub(super) overrides: Overrides,
    pub(super) limit_changes: LimitChanges,
    /// The limit over all keys, if it was set while running.
    pub(super) total: Option<u32>,
    /// The limits of single keys, if there have been any.
    pub(super) key_limits: Option<Box<KeyLimits>>,
    pub(super) closed: bool,
    /// The channel for events, if the limiter has had subscribers.
    pub(super) subscribers: Option<Sender<Event>>,
    /// The version of the settings source that set values last.
    pub(super) source_version: u64,
    /// The limits that the code's expression has given.
    pub(super) resolved: Resolved,
    /// The limit that a semaphore was bound to last.
    pub(super) bound: Option<u32>,
    /// The problem of an environment variable that could not be used. It is noted when the limit
    /// that is used instead is known.
    pub(super) bad_variable: Option<String>,
    /// `true` if it was noted that the limit is 0.
    pub(super) noted_zero: bool,
    /// `true` if it was noted that a call belongs to a share that is not there.
    pub(super) has_unknown_share: bool,
    /// The warnings, each of them once.
    pub(super) warnings: Vec<Warning>,
    /// The number of warnings that have been logged.
    pub(super) logged: usize,
    /// The two functions that share a default name, if this limiter belongs to one of them.
    pub(super) namesakes: Option<[&'static Location<'static>; 2]>,
    /// The version of the fleet for which the process's semaphore is leased; 0 if it is not.
    #[cfg(feature = "fleet")]
    pub(super) fleet: u64,
    /// The queues that stand still, as the last reading saw them.
    #[cfg(feature = "inspect")]
    pub(super) stalls: super::stalls::Stalls,
    /// The last figures, if the limiter was dropped.
    pub(super) last: Option<Figures>,
}

impl EngineState {
    /// Returns whether an agent leases the permits of the process.
    #[cfg(feature = "fleet")]
    pub(super) fn is_leased(&self) -> bool {
        self.fleet > 0
    }

    /// Returns whether an agent leases the permits of the process.
    #[cfg(not(feature = "fleet"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn is_leased(&self) -> bool {
        false
    }

    /// Forgets warnings that are not true any more.
    #[cfg(any(feature = "diagnostics", feature = "fleet"))]
    pub(super) fn forget_warnings(&mut self, is_over: impl Fn(&Warning) -> bool) {
        let logged = self.warnings.iter().take(self.logged);
        self.logged -= logged.filter(|warning| is_over(warning)).count();
        self.warnings.retain(|warning| !is_over(warning));
    }

    /// Returns whether the limit is 0 and this was not noted before. From then on it counts as
    /// noted.
    pub(super) fn is_zero_news(&mut self, limit: u32) -> bool {
        limit == 0 && !std::mem::replace(&mut self.noted_zero, true)
    }
}

/// The limits that an expression has given, one for each scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    /// The limits by the number of the scope's semaphore. Semaphores are never freed, so a number
    /// stays unique.
    by_semaphore: Vec<(usize, u32)>,
    /// The limit that was resolved last. It is that of all scopes without one of their own.
    pub(super) last: Option<u32>,
}

impl Resolved {
    /// Returns the scope's own limit, or the last one of another scope.
    pub(super) fn get(&self, semaphore: &Semaphore) -> Option<u32> {
        let id = semaphore.id();
        let own = self.by_semaphore.iter().find(|(known, _)| *known == id);
        own.map(|(_, limit)| *limit).or(self.last)
    }

    /// Stores the limit that a scope has resolved, or `None` if the scope had a limit already.
    pub(super) fn put(&mut self, semaphore: &Semaphore, limit: Option<u32>) {
        let id = semaphore.id();
        self.by_semaphore.retain(|(known, _)| *known != id);
        if let Some(limit) = limit {
            self.by_semaphore.push((id, limit));
            self.last = Some(limit);
        }
    }
}

/// A warning, or an error if a user's setting has no effect.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Warning {
    pub(super) is_error: bool,
    pub(super) text: String,
}
