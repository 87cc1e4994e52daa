//! What expressions for a limit have given.

use crate::semaphore::Semaphore;

/// The limits that were found out of one limiter: one a scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// By the address of the scope's semaphore. Semaphores are never freed, so it is nobody else's.
    by_semaphore: Vec<(usize, u32)>,
    last: Option<u32>,
}

impl Found {
    /// The one that was found out last.
    pub(super) fn last(&self) -> Option<u32> {
        self.last
    }

    /// The scope's own, or if it has not found one out, the last.
    pub(super) fn of(&self, semaphore: &Semaphore) -> Option<u32> {
        let address = address(semaphore);
        let own = self.by_semaphore.iter().find(|(of, _)| *of == address);
        own.map(|(_, limit)| *limit).or(self.last)
    }

    /// A semaphore is a scope's that has found that out, or not had to.
    pub(super) fn put(&mut self, semaphore: &Semaphore, limit: Option<u32>) {
        let address = address(semaphore);
        self.by_semaphore.retain(|(of, _)| *of != address);
        if let Some(limit) = limit {
            self.by_semaphore.push((address, limit));
            self.last = Some(limit);
        }
    }

    /// It was found out for all that have none of their own.
    pub(super) fn put_last(&mut self, limit: u32) {
        self.last = Some(limit);
    }
}

fn address(semaphore: &Semaphore) -> usize {
    std::ptr::from_ref(semaphore).addr()
}
