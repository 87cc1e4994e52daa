//! The deadlocks of the program, read once for all limiters.

use crate::calls::CallRow;
#[cfg(feature = "diagnostics")]
use limit_runtime::diagnostics::{self, Deadlock, StuckCall};
use serde::Serialize;
#[cfg(feature = "diagnostics")]
use std::collections::HashSet;

/// The most deadlocks of a limiter that are listed. With keys there may be one for each key.
#[cfg(feature = "diagnostics")]
const DEADLOCKS: usize = 10;
/// The most calls of a deadlock that are listed.
#[cfg(feature = "diagnostics")]
const CALLS: usize = 50;
/// The most holders that are listed of what a call waits for.
#[cfg(feature = "diagnostics")]
const HOLDERS: usize = 8;

/// The deadlocks at one moment. Without the feature `diagnostics` there are none.
#[derive(Debug, Default)]
pub(crate) struct Deadlocks {
    /// `None` if calls are not recorded.
    #[cfg(feature = "diagnostics")]
    all: Option<Vec<Deadlock>>,
    /// The limiters at which their calls wait.
    #[cfg(feature = "diagnostics")]
    limiters: HashSet<String>,
}

/// A deadlock, in JSON. `openapi.json` describes the fields of this and the following type.
#[derive(Debug, Serialize)]
pub(crate) struct DeadlockRow {
    /// The age in seconds.
    age: f64,
    reentry: bool,
    calls: Vec<StuckRow>,
    /// The number of calls that are not listed.
    more_calls: usize,
    /// The number of calls that wait for these.
    victims: usize,
}

#[derive(Debug, Serialize)]
struct StuckRow {
    /// The limiter at which the call waits.
    limiter: String,
    key: Option<String>,
    #[serde(flatten)]
    call: CallRow,
    /// The calls that hold what it waits for.
    holders: Vec<CallRow>,
    more_holders: usize,
    /// The call before it in the queue, for which it waits.
    behind: Option<CallRow>,
}

#[cfg(feature = "diagnostics")]
impl Deadlocks {
    pub(crate) fn now() -> Self {
        if !diagnostics::is_recording() {
            return Self::default();
        }
        let all = diagnostics::deadlocks();
        let calls = all.iter().flat_map(Deadlock::calls);
        let limiters = calls.map(|stuck| stuck.call().limiter().to_owned()).collect();
        Self { all: Some(all), limiters }
    }

    /// Returns whether the limiter of a name is part of a deadlock.
    pub(crate) fn has(&self, limiter: &str) -> bool {
        self.limiters.contains(limiter)
    }

    /// Lists the deadlocks that the limiter of a name is part of. `None` if calls are not recorded.
    pub(crate) fn list(&self, limiter: &str) -> Option<Vec<DeadlockRow>> {
        let all = self.all.as_ref()?.iter();
        let is_part = |stuck: &StuckCall| stuck.call().limiter() == limiter;
        let all = all.filter(|deadlock| deadlock.calls().iter().any(is_part));
        Some(all.take(DEADLOCKS).map(DeadlockRow::from).collect())
    }
}

#[cfg(not(feature = "diagnostics"))]
#[expect(clippy::unused_self, reason = "as with the feature `diagnostics`")]
impl Deadlocks {
    pub(crate) fn now() -> Self {
        Self::default()
    }

    pub(crate) fn has(&self, _: &str) -> bool {
        false
    }

    pub(crate) fn list(&self, _: &str) -> Option<Vec<DeadlockRow>> {
        None
    }
}

#[cfg(feature = "diagnostics")]
impl From<&Deadlock> for DeadlockRow {
    fn from(deadlock: &Deadlock) -> Self {
        let calls = deadlock.calls();
        Self {
            age: deadlock.age().as_secs_f64(),
            reentry: deadlock.is_reentry(),
            calls: calls.iter().take(CALLS).map(StuckRow::from).collect(),
            more_calls: calls.len().saturating_sub(CALLS),
            victims: deadlock.victims(),
        }
    }
}

#[cfg(feature = "diagnostics")]
impl From<&StuckCall> for StuckRow {
    fn from(stuck: &StuckCall) -> Self {
        let holders = stuck.holders();
        Self {
            limiter: stuck.call().limiter().to_owned(),
            key: stuck.key().map(ToOwned::to_owned),
            call: stuck.call().into(),
            holders: holders.iter().take(HOLDERS).map(CallRow::from).collect(),
            more_holders: holders.len().saturating_sub(HOLDERS),
            behind: stuck.behind().map(CallRow::from),
        }
    }
}
