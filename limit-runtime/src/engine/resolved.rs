//! The limits that a limiter's expression has given.

use crate::semaphore::Semaphore;

/// The limits that an expression has given, one a scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Resolved {
    /// By the scope's semaphore. Semaphores are never freed, so its number is never another's.
    by_semaphore: Vec<(usize, u32)>,
    last: Option<u32>,
}

impl Resolved {
    /// The limit that was resolved last.
    pub(super) fn last(&self) -> Option<u32> {
        self.last
    }

    /// The scope's own limit, or the last one of another scope.
    pub(super) fn get(&self, semaphore: &Semaphore) -> Option<u32> {
        let id = semaphore.id();
        let own = self.by_semaphore.iter().find(|(known, _)| *known == id);
        own.map(|(_, limit)| *limit).or(self.last)
    }

    /// Notes the limit that a scope has resolved, or `None` if it did not have to.
    pub(super) fn put(&mut self, semaphore: &Semaphore, limit: Option<u32>) {
        let id = semaphore.id();
        self.by_semaphore.retain(|(known, _)| *known != id);
        if let Some(limit) = limit {
            self.by_semaphore.push((id, limit));
            self.last = Some(limit);
        }
    }

    /// Notes a limit for all scopes that have none of their own.
    pub(super) fn put_last(&mut self, limit: u32) {
        self.last = Some(limit);
    }
}
