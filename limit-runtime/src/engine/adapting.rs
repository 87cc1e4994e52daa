//! A limit that adapts: its range, and what a set value makes of it.

use super::Engine;
use super::state::EngineState;
use crate::adaptive::Adaptation;
use crate::policy::{Force, clamp_limit};
use crate::scope::Scope;
use crate::semaphore::Semaphore;
use crate::setting::{Overrides, SettingKind, SettingValue};

impl Engine {
    /// Returns the range within which the limit, or with keys the total, adapts, and the number at which it is held. A
    /// range that is set takes the place of the code's; a number that is set holds the limit.
    pub(super) fn adapting(&self, state: &EngineState) -> Option<(Adaptation, Option<u32>)> {
        if self.definition.policy.keyed {
            return Some((self.definition.adaptation?, state.total));
        }
        self.adapting_under(&state.overrides)
    }

    /// Does the same for some overrides, without keys.
    pub(super) fn adapting_under(
        &self,
        overrides: &Overrides,
    ) -> Option<(Adaptation, Option<u32>)> {
        let made = self.definition.adaptation;
        match overrides.find(|values| values.get(SettingKind::Limit)) {
            Some((SettingValue::Range { low, high }, _)) => {
                let range = Adaptation::between(clamp_limit(low), clamp_limit(high), made);
                Some((range, None))
            }
            Some((SettingValue::Count(limit), _)) => Some((made?, Some(clamp_limit(limit)))),
            _ => Some((made?, None)),
        }
    }

    /// Returns the limit that one which adapts has now: the largest of all runtimes. `None` if it does not adapt, or is
    /// held.
    pub(super) fn adapted_limit(&self, state: &EngineState) -> Option<u32> {
        let is_free = self.adapting(state).is_some_and(|(_, held)| held.is_none());
        if !is_free || state.last.is_some() {
            return None;
        }
        self.all_semaphores().into_iter().filter_map(Semaphore::adapted_limit).max()
    }

    /// Lets the controllers of a limit that adapts see the time: a question may be over though nobody calls.
    pub(super) fn adapt_now(&self) {
        let adapts = self.adapting(&self.state()).is_some();
        if adapts {
            self.semaphores().into_iter().for_each(Semaphore::adapt_now);
        }
    }

    /// Lets a total that adapts go on from the number that was set.
    pub(super) fn reset_adaptive_total(&self) {
        let keyed = self.definition.policy.keyed;
        let Some(range) = self.definition.adaptation.filter(|_| keyed) else { return };
        if let Some(mut state) = self.state_in_use() {
            state.total = None;
            self.change(state, |semaphore| semaphore.set_adapting(Some((range, None))));
        }
    }

    /// Returns why the limit cannot adapt, if it cannot.
    pub(super) fn cannot_adapt(&self) -> Option<&'static str> {
        let policy = &self.definition.policy;
        if policy.keyed {
            Some("with keys the total adapts, by `adaptive_total` in the code; write a number")
        } else if policy.per.is_some() {
            Some(
                "its permits come back with time, so the time of a call says nothing; write a number",
            )
        } else if self.definition.ramp.is_some() {
            Some("it has a ramp, which raises the limit by the clock; write a number")
        } else if policy.force == Force::Shadow {
            Some("it was made a shadow, which holds no call back; write a number")
        } else if self.definition.scope == Scope::Fleet {
            Some("the processes of a fleet do not adapt together; write a number")
        } else {
            None
        }
    }
}
