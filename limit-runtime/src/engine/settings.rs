//! The settings of a limiter in use, and changing them.

use super::definition::{Definition, LimitSource};
use super::key_limits::TableChange;
use super::state::{EngineState, Resolved};
use super::{CANNOT_REFUSE, Engine, KEYS_CANNOT_REFUSE};
use crate::policy::{Force, MaxWait, Policy, clamp_limit, total_of};
use crate::scope::Scope;
use crate::semaphore::WakeList;
use crate::setting::{
    LimitRange, Overrides, Setting, SettingKind, SettingValue, SettingValues, Settings, Source,
    Unsupported,
};
use crate::unwind;
use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::MutexGuard;
use std::time::Duration;

/// Returns the policy in force of a limiter that was made with `made`.
pub(super) fn policy(overrides: &Overrides, made: &Policy) -> Policy {
    let mut policy = *made;
    let count = |kind| overrides.find(|values| values.count(kind)).map(|(count, _)| count);
    let switch = |kind| overrides.find(|values| values.switch(kind)).map(|(on, _)| on);
    for &kind in SettingKind::ALL {
        match kind {
            // Semaphores get the limit and `claim_within` by themselves, and calls read `max_wait`.
            SettingKind::Limit | SettingKind::MaxWait | SettingKind::ClaimWithin => {}
            SettingKind::MaxWaiting => policy.max_waiting = count(kind).unwrap_or(made.max_waiting),
            SettingKind::MaxWaitingTotal => {
                policy.max_waiting_total = count(kind).unwrap_or(made.max_waiting_total);
            }
            SettingKind::Enabled | SettingKind::Shadow => {
                policy.force = match (switch(SettingKind::Enabled), switch(SettingKind::Shadow)) {
                    (Some(false), _) => Force::Off,
                    (_, Some(true)) => Force::Shadow,
                    (_, Some(false)) => Force::Full,
                    (_, None) => made.force,
                }
            }
        }
    }
    policy
}

/// Returns the time in force after which a grant that nobody claims goes to another waiter.
pub(super) fn claim_within(overrides: &Overrides, made: &Definition) -> Duration {
    let set = overrides.find(|values| values.duration(SettingKind::ClaimWithin));
    set.map_or(made.claim_within, |(claim_within, _)| claim_within)
}

impl Engine {
    /// Returns the limit in force if it is the same for all scopes.
    pub(super) fn effective_limit(&self, overrides: &Overrides) -> Option<u32> {
        match overrides.find(|values| values.get(SettingKind::Limit)) {
            Some((SettingValue::Count(limit), _)) => Some(clamp_limit(limit)),
            // A limit that adapts begins there.
            Some((SettingValue::Range { .. }, _)) => {
                self.adapting_under(overrides).map(|(range, _)| range.first())
            }
            _ => self.definition.limit.fixed(),
        }
    }

    /// Returns the limit in force, or the one that a scope has resolved last. Returns `None` if the
    /// limit is an expression that was not evaluated yet.
    pub(crate) fn limit(&self) -> Option<u32> {
        self.known_limit(&self.state())
    }

    /// Returns the limit in force if it is the same for all scopes.
    #[cfg(feature = "task")]
    pub(crate) fn fixed_limit(&self) -> Option<u32> {
        self.effective_limit(&self.state().overrides)
    }

    pub(super) fn known_limit(&self, state: &EngineState) -> Option<u32> {
        if let Some(adapted) = self.adapted_limit(state).filter(|_| !self.definition.policy.keyed) {
            return Some(adapted);
        }
        // A scope may be bound to a limit that was set and is now unset. The expression is
        // evaluated later then, or has failed.
        let resolved = state.resolved.last.or(state.bound);
        self.effective_limit(&state.overrides).or(resolved)
    }

    /// Sets the limit while running. Every limiter supports this.
    pub(crate) fn set_limit(&self, limit: usize) {
        let limit = SettingValue::Count(clamp_limit(limit) as usize);
        self.override_with(Source::Live, |values| values.put(SettingKind::Limit, limit));
    }

    /// Sets the time after which a grant that nobody claims goes to another waiter, while running. Every
    /// limiter supports this.
    pub(crate) fn set_claim_within(&self, claim_within: Duration) {
        // Zero would be a wrong value in a file. Here it is raised to the shortest time.
        let claim_within = SettingValue::Duration(claim_within.max(Duration::from_nanos(1)));
        self.override_with(Source::Live, |live| live.put(SettingKind::ClaimWithin, claim_within));
    }

    /// Returns the limit over all keys. `None` without keys, and if there is none.
    pub(super) fn total_under(&self, state: &EngineState) -> Option<usize> {
        let Policy { keyed, total, .. } = self.definition.policy;
        let adapted = if keyed { self.adapted_limit(state) } else { None };
        total_of(adapted.or(state.total).unwrap_or(total)).filter(|_| keyed)
    }

    /// Sets the limit over all keys while running.
    ///
    /// # Errors
    ///
    /// If the limiter has no keys.
    pub(crate) fn set_total(&self, total: usize) -> Result<(), Unsupported> {
        if !self.definition.policy.keyed {
            return Err(self.unsupported("total", "it has no keys: its limit holds for all calls"));
        }
        let total = clamp_limit(total);
        if let Some(mut state) = self.state_in_use() {
            state.total = Some(total);
            let adapting = self.definition.adaptation.map(|range| (range, Some(total)));
            self.change(state, |semaphore| {
                let mut wakers = WakeList::default();
                if adapting.is_some() {
                    wakers.append(semaphore.set_adapting(adapting));
                }
                wakers.append(semaphore.set_total(total));
                wakers
            });
        }
        Ok(())
    }

    /// Sets values while running: all of them, or none.
    ///
    /// # Errors
    ///
    /// If the limiter does not support one of them.
    pub(crate) fn apply(&self, values: &SettingValues) -> Result<(), Unsupported> {
        self.supports_all(values)?;
        self.override_with(Source::Live, |live| live.override_with(values));
        Ok(())
    }

    /// Sets one value while running.
    ///
    /// # Errors
    ///
    /// If the limiter does not support the value.
    pub(crate) fn set(&self, kind: SettingKind, value: SettingValue) -> Result<(), Unsupported> {
        self.supports(kind, value)?;
        self.override_with(Source::Live, |live| live.put(kind, value));
        Ok(())
    }

    /// Switches the limit on or off while running. Every limiter supports this.
    pub(crate) fn set_enabled(&self, enabled: bool) {
        let enabled = SettingValue::Switch(enabled);
        self.override_with(Source::Live, |values| values.put(SettingKind::Enabled, enabled));
    }

    /// Undoes one value that was set while running.
    pub(crate) fn unset(&self, kind: SettingKind) {
        self.override_with(Source::Live, |live| live.unset(kind));
    }

    /// Undoes all values that were set while running.
    pub(crate) fn reset(&self) {
        self.override_with(Source::Live, |live| *live = SettingValues::default());
        self.reset_adaptive_total();
        self.reset_key_limits();
    }

    /// Returns the values that were set while running.
    pub(crate) fn live_values(&self) -> SettingValues {
        *self.state().overrides.values(Source::Live)
    }

    /// Checks that all values can be set for this limiter.
    pub(crate) fn supports_all(&self, values: &SettingValues) -> Result<(), Unsupported> {
        values.iter().try_for_each(|(kind, value)| self.supports(kind, value))
    }

    /// Checks that this limiter supports a value.
    pub(crate) fn supports(
        &self,
        kind: SettingKind,
        value: SettingValue,
    ) -> Result<(), Unsupported> {
        let is_shadow = self.definition.policy.force == Force::Shadow;
        let fallible = self.definition.fallible;
        let reason = match kind {
            SettingKind::Limit if matches!(value, SettingValue::Range { .. }) => self.cannot_adapt(),
            SettingKind::Limit | SettingKind::ClaimWithin | SettingKind::Enabled => None,
            // A shadow only counts the calls that it would have refused.
            SettingKind::MaxWaiting => (!fallible && !is_shadow).then_some(CANNOT_REFUSE),
            SettingKind::MaxWaitingTotal if !self.definition.policy.keyed => {
                Some("it has no keys: `max_waiting` bounds all its calls, with shares those of each share")
            }
            SettingKind::MaxWaitingTotal if is_shadow => {
                Some("it was made a shadow, which keeps account of each key by itself")
            }
            SettingKind::MaxWait if is_shadow => {
                Some("it was made a shadow, so that nobody waits")
            }
            SettingKind::MaxWaitingTotal => (!fallible).then_some(KEYS_CANNOT_REFUSE),
            SettingKind::MaxWait => (!fallible).then_some(CANNOT_REFUSE),
            SettingKind::Shadow
                if self.definition.scope == Scope::Fleet && value == SettingValue::Switch(true) =>
            {
                Some("its scope is fleet, and the fleet has no permits beyond the limit to give")
            }
            SettingKind::Shadow => (is_shadow && value == SettingValue::Switch(false)).then_some(
                "it was made a shadow, so that its calls cannot be told that they are refused; take \
                 the `shadow` out of the code",
            ),
        };
        match reason {
            Some(reason) => Err(self.unsupported(kind.name(), reason)),
            None => Ok(()),
        }
    }

    /// Puts the values of a settings source in force, unless a source with a higher version has set
    /// values.
    pub(super) fn configure(
        &self,
        version: u64,
        values: SettingValues,
        key_limits: BTreeMap<String, usize>,
    ) {
        let Some(mut state) = self.state_in_use() else { return };
        if version > state.source_version {
            state.source_version = version;
            let table = state.set_file_key_limits(key_limits);
            let has_table = table.is_some();
            self.override_under(state, Source::File, |file| *file = values, table.as_ref());
            if has_table {
                self.tell_of_misfits();
            }
        }
    }

    /// Changes the values of one source, and then everything that depends on them.
    pub(super) fn override_with(&self, source: Source, set: impl FnOnce(&mut SettingValues)) {
        if let Some(state) = self.state_in_use() {
            self.override_under(state, source, set, None);
        }
    }

    /// Does the same under the state's lock, and puts another table of the limits of single keys in force.
    pub(super) fn override_under(
        &self,
        mut state: MutexGuard<'_, EngineState>,
        source: Source,
        set: impl FnOnce(&mut SettingValues),
        key_limits: Option<&TableChange>,
    ) {
        let before = state.overrides;
        set(state.overrides.values_mut(source));
        let after = state.overrides;
        let max_wait = after.find(|values| values.duration(SettingKind::MaxWait));
        // Stored under the state's lock, so that of two changes the later one stays.
        self.max_wait.set(max_wait.map(|(max_wait, _)| max_wait));
        let (was, is) = (self.effective_limit(&before), self.effective_limit(&after));
        let last = state.resolved.last;
        if was.or(last) != is.or(last) {
            state.limit_changes.count(source);
        }
        let limit_changes = was != is;
        // A resolved limit is not resolved again: each scope keeps its own.
        let resolved = if limit_changes && is.is_none() {
            state.resolved.clone()
        } else {
            Resolved::default()
        };
        let resolve = limit_changes && is.is_none() && last.is_none() && state.bound.is_some();
        let made = &self.definition.policy;
        let new_policy = policy(&after, made);
        let new_policy = (new_policy != policy(&before, made)).then_some(new_policy);
        let new_claim_within = claim_within(&after, &self.definition);
        let new_claim_within = (new_claim_within != claim_within(&before, &self.definition))
            .then_some(new_claim_within);
        let adapting = self.adapting_under(&after);
        let new_adapting =
            (!made.keyed && adapting != self.adapting_under(&before)).then_some(adapting);
        let goes_on = new_adapting.flatten().is_some_and(|(_, held)| held.is_none());
        self.change(state, |semaphore| {
            let mut wakers = WakeList::default();
            if let Some(adapting) = new_adapting {
                wakers.append(semaphore.set_adapting(adapting));
            }
            let limit = is.or_else(|| resolved.get(semaphore));
            let sets_limit = limit_changes || new_adapting.is_some();
            // A limit that adapts goes on from the present one.
            if let (Some(limit), true, false) = (limit, sets_limit, goes_on) {
                wakers.append(semaphore.set_limit(limit));
            }
            if let Some(policy) = new_policy {
                wakers.append(semaphore.set_policy(&policy));
            }
            if let Some(change) = key_limits {
                wakers.append(semaphore.set_own_limits(change.table.clone()));
            }
            if let Some(claim_within) = new_claim_within {
                wakers.append(semaphore.set_claim_within(claim_within));
            }
            wakers
        });
        if resolve {
            self.resolve_late();
        }
    }

    /// Resolves the code's limit for scopes that were bound to a limit that was set while running.
    /// Evaluates the expression under no lock, because it is the user's. A panic of the expression
    /// ends here: another crate may have called this.
    fn resolve_late(&self) {
        let LimitSource::Lazy(limit) = self.definition.limit else { return };
        let limit = match catch_unwind(|| self.resolve(limit)) {
            Ok(limit) => clamp_limit(limit),
            Err(panic) => {
                let text = "the limit could not be found out: the expression for it panicked; it \
                            stays as it was set before";
                self.note(true, text.to_owned());
                return unwind::end(panic);
            }
        };
        let Some(mut state) = self.state_in_use() else { return };
        // Another scope was first.
        if state.resolved.last.is_some() {
            return;
        }
        state.resolved.last = Some(limit);
        if self.effective_limit(&state.overrides).is_none() {
            let is_zero_news = state.is_zero_news(limit);
            self.change(state, |semaphore| semaphore.set_limit(limit));
            if is_zero_news {
                self.note_zero();
            }
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings_under(&self.state())
    }

    pub(super) fn settings_under(&self, state: &EngineState) -> Settings {
        let overrides = &state.overrides;
        let made = &self.definition;
        let bound = |bound: u32| (bound < u32::MAX).then_some(bound as usize);
        let unless_never = |time: Duration| (time < Duration::MAX).then_some(time);
        let max_wait = match made.max_wait {
            Some(MaxWait::For(max_wait)) => Some(max_wait),
            _ => None,
        };
        let limit = self.known_limit(state).unwrap_or(0) as usize;
        let adapting = if made.policy.keyed { None } else { self.adapting_under(overrides) };
        let set_limit = overrides.find(|values| values.get(SettingKind::Limit));
        let set_max_waiting = overrides.find(|values| values.count(SettingKind::MaxWaiting));
        let set_waiting_total = overrides.find(|values| values.count(SettingKind::MaxWaitingTotal));
        let set_max_wait = overrides.find(|values| values.duration(SettingKind::MaxWait));
        let set_claim_within = overrides.find(|values| values.duration(SettingKind::ClaimWithin));
        let set_enabled = overrides.find(|values| values.switch(SettingKind::Enabled));
        let set_shadow = overrides.find(|values| values.switch(SettingKind::Shadow));
        Settings {
            limit: Setting::new(limit, set_limit.map(|(_, source)| (limit, source))),
            range: adapting
                .filter(|(_, held)| held.is_none())
                .map(|(range, _)| LimitRange::new(range.low, range.high)),
            max_waiting: Setting::new(
                bound(made.policy.max_waiting),
                set_max_waiting.map(|(most, source)| (bound(most), source)),
            ),
            max_waiting_total: Setting::new(
                bound(made.policy.max_waiting_total),
                set_waiting_total.map(|(most, source)| (bound(most), source)),
            ),
            max_wait: Setting::new(
                max_wait,
                set_max_wait.map(|(wait, source)| (Some(wait), source)),
            ),
            claim_within: Setting::new(
                unless_never(made.claim_within),
                set_claim_within.map(|(within, source)| (unless_never(within), source)),
            ),
            enabled: Setting::new(
                made.request.enabled,
                // `true` leaves the choice to the calls. If the code disables them, they stay
                // disabled.
                set_enabled.filter(|(set, _)| !*set || made.request.enabled),
            ),
            shadow: Setting::new(made.policy.force == Force::Shadow, set_shadow),
        }
    }
}
