//! Changes by the console, told apart from changes by others.

use super::state::{Known, Watch};
use crate::changes::LoggedChange;
use crate::row::Row;
use crate::watched::Watched;
use limit_runtime::LimiterHandle;
use limit_runtime::inspect;
use limit_runtime::settings::SettingValue;
use std::sync::Arc;

/// A change of a limiter that is under way. Until its author is known, no reading logs it.
pub(crate) struct Changing {
    watch: Arc<Watch>,
    handle: LimiterHandle,
    id: u64,
}

impl Changing {
    /// Begins a change. Changes since the last reading were made by others, and are logged so.
    pub(crate) fn begin(watch: &Arc<Watch>, known: &Known) -> Self {
        let (watch, handle, id) = (Arc::clone(watch), known.handle.clone(), known.id);
        let changing = Self { watch, handle, id };
        changing.log(None, true);
        changing
    }

    /// Records the limit that was set while running, because the limiter is about to be paused.
    pub(crate) fn record_before_pause(&self, live_limit: Option<SettingValue>) {
        self.with(|watched| watched.before_pause = live_limit);
    }

    /// Returns the limit that was set while running before the console paused the limiter.
    pub(crate) fn before_pause(&self) -> Option<SettingValue> {
        self.with(|watched| watched.before_pause)?
    }

    /// Logs the changes with their author, and ends. `None` if the limiter was dropped.
    pub(crate) fn end(self, by: &str) -> Option<(Row, Vec<LoggedChange>)> {
        self.log(Some(by), false)
    }

    fn log(&self, by: Option<&str>, is_changing: bool) -> Option<(Row, Vec<LoggedChange>)> {
        let mut state = self.watch.lock();
        let tick = state.next_tick();
        let watched = state.watched_mut(self.handle.name(), self.id)?;
        let reading = inspect::read(&self.handle);
        if reading.is_dropped {
            return None;
        }
        let changes = watched.record_change(&reading, tick, by);
        watched.is_changing = is_changing;
        let row = watched.row.clone();
        state.log.add(&row.name, &changes);
        Some((row, changes))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Watched) -> T) -> Option<T> {
        self.watch.lock().watched_mut(self.handle.name(), self.id).map(change)
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        self.with(|watched| watched.is_changing = false);
    }
}
