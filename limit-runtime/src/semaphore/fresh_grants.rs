//! Grants of which the watcher does not know.

use super::status::StatusCell;
use crate::sync::Ordering;

/// The most grants that are kept. If there are more, the watcher looks at all slots.
const MOST: usize = 8;

/// Grants that were made since the watcher looked, as far as they are not known to be claimed.
#[derive(Debug)]
pub(super) struct FreshGrants {
    /// The first of them, by the cell and its value. A cell is never freed, so it can be read when its slot is long
    /// another call's. Then its value is another one, too.
    grants: Vec<(StatusCell, u64)>,
    /// There may be more.
    has_more: bool,
}

impl FreshGrants {
    pub(super) const fn new() -> Self {
        Self { grants: Vec::new(), has_more: false }
    }

    /// Notes a grant.
    #[cold]
    pub(super) fn note(&mut self, cell: StatusCell, grant: u64) {
        self.grants.retain(is_unclaimed);
        if self.grants.len() < MOST {
            self.grants.push((cell, grant));
        } else {
            self.has_more = true;
        }
    }

    /// Returns whether one of them may be unclaimed.
    pub(super) fn has_any(&mut self) -> bool {
        self.grants.retain(is_unclaimed);
        self.has_more || !self.grants.is_empty()
    }

    /// Forgets the grants: the watcher is to look at all slots.
    pub(super) fn forget(&mut self) {
        self.grants.clear();
    }

    /// Sets whether there may be grants that were not noted.
    pub(super) fn set_more(&mut self, has_more: bool) {
        self.has_more = has_more;
    }
}

/// Returns whether a grant has not been claimed. Relaxed: nothing else is read because of it.
fn is_unclaimed(&(cell, grant): &(StatusCell, u64)) -> bool {
    cell.load(Ordering::Relaxed) == grant
}
