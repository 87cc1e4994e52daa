//! Looking up the own limits of keys.

use super::super::queue::Queue;
use super::Keys;
use super::own::{COMMON, OwnLimits};
use super::states::KeyStates;
use std::any::{Any, TypeId};
use std::sync::Arc;

impl Keys {
    /// Replaces the table. The states keep the limits of the former one until they are
    /// [looked up](Self::find_own_limits). Returns the former table, to be dropped after unlocking.
    pub(in super::super) fn replace_own_limits(
        &mut self,
        own: Option<Arc<OwnLimits>>,
    ) -> Option<Arc<OwnLimits>> {
        std::mem::replace(&mut self.own, own)
    }

    /// Looks up the own limits of some thousands of keys, from a chunk of them on. Returns the next chunk; `None` after
    /// the last. A key that comes meanwhile has been looked up in the present table.
    pub(in super::super) fn find_own_limits(
        &mut self,
        queue: &mut Queue,
        from: u32,
    ) -> Option<u32> {
        const CHUNKS: u32 = 64;
        let (mut next, common) = (from, self.limit);
        while let Some(numbers) = self.states.chunk_of_numbers(next) {
            if next - from >= CHUNKS {
                return Some(next);
            }
            next = KeyStates::chunk_after(&numbers);
            for number in numbers {
                let Some(own) = self.states.find_own_limit(number, self.own.as_deref()) else {
                    continue;
                };
                let state = self.states.get_mut(number);
                if state.own_limit != own {
                    if state.limit(common) == 0 {
                        // Nothing could move.
                        state.forget_pace();
                    }
                    state.own_limit = own;
                    self.refresh(queue, number);
                }
            }
        }
        None
    }

    /// Returns whether a key may have a limit of its own.
    #[inline]
    pub(in super::super) fn has_own_limits(&self) -> bool {
        self.own.is_some()
    }

    /// Returns the limit of a key that is not in use.
    #[inline]
    pub(super) fn limit_if_new(&self, hash: u32, key: &dyn Any) -> u32 {
        match &self.own {
            Some(own) => match own.find(hash, key) {
                COMMON => self.limit_of_new(),
                limit => limit,
            },
            None => self.limit_of_new(),
        }
    }

    /// Returns the types of all keys that there have been, with their names.
    pub(in super::super) fn types(&self) -> &[(TypeId, &'static str)] {
        self.states.types()
    }
}
