//! Setting the limits of single keys, and showing them.

use super::Engine;
use super::key_limits::{KeyLimits, TableChange};
use super::state::EngineState;
use crate::logging;
use crate::metrics::KeyLimit;
use crate::policy::clamp_limit;
use crate::scope::Scope;
use crate::semaphore::{KeyName, can_be_key};
use crate::setting::{KEY, SettingValues, Source, Unsupported};
use std::collections::BTreeMap;

impl EngineState {
    /// Changes the limits of single keys. Returns the change of the table, if there is one. The caller puts it in force, and
    /// drops it when no lock is held.
    pub(super) fn change_key_limits(
        &mut self,
        source: Source,
        change: impl FnOnce(&mut KeyLimits),
    ) -> Option<TableChange> {
        let limits = self.key_limits.get_or_insert_default();
        let before = limits.by_name();
        change(limits);
        let (change, changed) = limits.renew(&before)?;
        (0..changed).for_each(|_| self.limit_changes.count(source));
        Some(change)
    }

    /// Replaces the limits of the settings source.
    pub(super) fn set_file_key_limits(
        &mut self,
        limits: BTreeMap<String, usize>,
    ) -> Option<TableChange> {
        if limits.is_empty() && self.key_limits.is_none() {
            return None;
        }
        let limits = limits.into_iter().map(|(key, limit)| (key, clamp_limit(limit))).collect();
        self.change_key_limits(Source::File, |known| known.file = limits)
    }

    /// Lists the limits of single keys, by the key.
    pub(super) fn key_limits(&self) -> Vec<KeyLimit> {
        let all = self.key_limits.iter().flat_map(|limits| limits.all());
        let mut all: Vec<_> = all
            .map(|(name, limit, source)| KeyLimit {
                key: name.to_string(),
                has_text: matches!(name, KeyName::Text(_)),
                limit: limit as usize,
                source,
            })
            .collect();
        all.sort_by(|one, other| one.key.cmp(&other.key));
        all
    }
}

impl Engine {
    /// Checks that single keys can have limits of their own.
    pub(crate) fn supports_key_limits(&self) -> Result<(), Unsupported> {
        if !self.definition.policy.keyed {
            let reason = "it has no keys: its limit holds for all calls; make the limiter `.keyed()`, or give the \
                          attribute `key = …`";
            return Err(self.unsupported(KEY, reason));
        }
        if self.definition.scope == Scope::Fleet {
            let reason = "its scope is fleet, and the processes of a fleet do not agree on the limits of single keys \
                          yet";
            return Err(self.unsupported(KEY, reason));
        }
        Ok(())
    }

    /// Sets the limit of a key while running, or takes it back.
    pub(crate) fn set_key_limit(
        &self,
        name: &KeyName,
        limit: Option<usize>,
    ) -> Result<(), Unsupported> {
        self.supports_key_limits()?;
        let limit = limit.map(clamp_limit);
        self.change_live_key_limits(|limits| limits.set_live(name, limit));
        Ok(())
    }

    /// Takes all limits of single keys back that were set while running.
    pub(super) fn reset_key_limits(&self) {
        if self.state().key_limits.is_some() {
            self.change_live_key_limits(|limits| limits.live.clear());
        }
    }

    fn change_live_key_limits(&self, change: impl FnOnce(&mut KeyLimits)) {
        let Some(mut state) = self.state_in_use() else { return };
        if let Some(change) = state.change_key_limits(Source::Live, change) {
            self.override_under(state, Source::Live, |_: &mut SettingValues| (), Some(&change));
            self.tell_of_misfits();
        }
    }

    pub(crate) fn key_limits(&self) -> Vec<KeyLimit> {
        self.state().key_limits()
    }

    /// Logs the texts that no key can have. It calls foreign code, so no lock may be held.
    pub(super) fn tell_of_misfits(&self) {
        let misfits = {
            let Some(state) = self.state_in_use() else { return };
            self.misfits(&state)
        };
        for text in misfits {
            logging::tell_warning(&self.name, false, &text);
        }
    }

    /// Returns a warning for each limit of a key that no key can have: its text fits none of the types of the keys that
    /// there have been.
    pub(super) fn misfits(&self, state: &EngineState) -> Vec<String> {
        let Some(limits) = state.key_limits.as_ref().filter(|limits| limits.in_force().is_some())
        else {
            return Vec::new();
        };
        let mut types = Vec::new();
        for semaphore in self.all_semaphores() {
            types.extend(semaphore.key_types());
        }
        types.sort_unstable();
        types.dedup();
        if types.is_empty() || state.last.is_some() {
            return Vec::new();
        }
        let names: Vec<_> = types.iter().map(|(_, name)| format!("`{name}`")).collect();
        let names = names.join(", ");
        let misfit = |(name, _, _): (KeyName, u32, Source)| {
            let KeyName::Text(text) = name else { return None };
            let fits = types.iter().any(|&(key_type, _)| can_be_key(key_type, &text));
            // A request may have brought it: it is not to look like another line of a log.
            let text = text.escape_debug();
            (!fits).then(|| {
                format!("the limit of the key `{text}` has no effect: no key of type {names} has this text")
            })
        };
        limits.all().filter_map(misfit).collect()
    }
}
