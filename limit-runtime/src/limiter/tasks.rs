//! The parts of a limiter that the module `task` needs.

use super::Limiter;
use crate::admission::Admission;
use crate::engine::changed::Changes;

impl Limiter {
    /// Creates a limiter that the user has not named. Equal names of such limiters cause no
    /// warning.
    pub(crate) const fn unnamed(name: &'static str, limit: usize) -> Self {
        let mut limiter = Self::new(name, limit);
        limiter.core.definition.is_named = false;
        limiter
    }
}

impl<E: Admission, K> Limiter<E, K> {
    /// Returns the limit in force. Evaluates a limit expression if no call of this scope has needed
    /// it yet.
    pub(crate) fn needed_limit(&self) -> usize {
        let engine = self.core.engine();
        let limit = engine.fixed_limit().or_else(|| {
            let (semaphore, _) = self.core.semaphore(None);
            // Without a waker this does not wait. A semaphore that is bound already keeps its
            // limit.
            drop(self.core.bind(semaphore, 1, None));
            engine.limit()
        });
        limit.unwrap_or(0) as usize
    }

    /// Returns the changes of the settings from now on.
    pub(crate) fn changes(&self) -> Changes {
        self.core.engine().changes()
    }
}
