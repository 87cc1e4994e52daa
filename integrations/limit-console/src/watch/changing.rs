//! What the console changes, and what others have changed meanwhile.

use super::{Change, Entry, Row, Watch, Watched};
use std::sync::Arc;

impl Watch {
    /// Something is about to be changed by the console. What was changed since the last reading was not.
    pub(in super::super) fn changing(self: &Arc<Self>, entry: &Arc<Entry>) -> Changing {
        self.note(entry, None, true);
        Changing { watch: Arc::clone(self), entry: Arc::clone(entry) }
    }

    fn note(
        &self,
        entry: &Arc<Entry>,
        by: Option<&str>,
        is_changing: bool,
    ) -> Option<(Row, Vec<Change>)> {
        let mut state = self.lock();
        let at = state.at();
        let watched = state.watched_of(entry)?;
        let changes = watched.changed_by(&entry.look()?, at, by);
        watched.is_changing = is_changing;
        Some((watched.row.clone(), changes))
    }
}

/// Something of a limiter is being changed. Until it is known by whom, no reading notes it.
pub(in super::super) struct Changing {
    watch: Arc<Watch>,
    entry: Arc<Entry>,
}

impl Changing {
    /// It is about to be paused, with the limit that was set while running.
    pub(in super::super) fn pausing(&self, live_limit: Option<u32>) {
        self.with(|watched| watched.before_pause = live_limit);
    }

    /// The limit that was set while running before the console paused it, if it has.
    pub(in super::super) fn before_pause(&self) -> Option<u32> {
        self.with(|watched| watched.before_pause)?
    }

    /// Notes what was changed, and by whom. `None` if there is no such limiter any more.
    pub(in super::super) fn by(self, who: &str) -> Option<(Row, Vec<Change>)> {
        self.watch.note(&self.entry, Some(who), false)
    }

    fn with<T>(&self, what: impl FnOnce(&mut Watched) -> T) -> Option<T> {
        self.watch.lock().watched_of(&self.entry).map(what)
    }
}

impl Drop for Changing {
    fn drop(&mut self) {
        self.with(|watched| watched.is_changing = false);
    }
}
