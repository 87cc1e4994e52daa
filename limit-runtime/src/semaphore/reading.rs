//! Figures of a semaphore.

use super::deferred::Deferred;
use super::modes::Modes;
use super::permits::Semaphore;
use crate::metrics::Reading;

impl Semaphore {
    /// Returns its figures at this moment. The caller drops what is added to `deferred` when it holds no
    /// lock: users' keys may be in it.
    pub(crate) fn read(&self, deferred: &mut Vec<Deferred>) -> Reading {
        let mut state = self.lock();
        let acquired = self.acquired(&mut state);
        let reading = state.read(&self.word, acquired, &self.refused.counts());
        let left = state.modes.as_deref_mut().and_then(Modes::take_deferred);
        if let Some(left) = left {
            deferred.push(*left);
        }
        #[cfg(feature = "inspect")]
        let reading = {
            let is_keyed = reading.is_to_move && state.keys().is_some();
            drop(state);
            Reading {
                is_to_move: reading.is_to_move && (!is_keyed || self.has_key_to_move()),
                ..reading
            }
        };
        reading
    }

    /// Returns the number of permits that are out and calls that wait. `deferred` is as in
    /// [`read`](Self::read).
    pub(crate) fn busy(&self, deferred: &mut Vec<Deferred>) -> usize {
        let reading = self.read(deferred);
        reading.usage.in_use + reading.usage.waiting
    }
}
