//! The limits that a limiter's expression has given.

use crate::semaphore::Semaphore;

/// The limits that an expression has given, one for each scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    /// The limits by the number of the scope's semaphore. Semaphores are never freed, so a number
    /// stays unique.
    by_semaphore: Vec<(usize, u32)>,
    last: Option<u32>,
}

impl Resolved {
    /// Returns the limit that was resolved last.
    pub(super) fn last(&self) -> Option<u32> {
        self.last
    }

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

    /// Stores a limit for all scopes without one of their own.
    pub(super) fn put_last(&mut self, limit: u32) {
        self.last = Some(limit);
    }
}
