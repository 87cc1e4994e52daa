//! The settings of a limiter that is used for the first time.

use super::Engine;
use super::environment::{read_variable, variable_of_name};
use super::install::{InForce, in_force};
use crate::policy::clamp_limit;
use crate::setting::{SettingKind, SettingValue, SettingValues, Source};
use std::collections::BTreeMap;

impl Engine {
    /// Reads the environment variable that the code names, before the limiter is in the list.
    pub(super) fn read_named_variable(&self) {
        let Some(variable) = self.definition.env else { return };
        let mut state = self.state();
        match read_variable(variable) {
            Ok(None) => {}
            Ok(Some(limit)) => {
                let limit = clamp_limit(limit);
                let value = SettingValue::Count(limit as usize);
                state.overrides.values_mut(Source::Environment).put(SettingKind::Limit, value);
                if self.definition.limit.fixed() != Some(limit) {
                    state.limit_changes.count(Source::Environment);
                }
            }
            Err(problem) => state.bad_variable = Some(problem),
        }
    }

    /// Asks the environment and the settings source in force for this limiter's values. The limiter
    /// is in the list already: a source that is installed meanwhile finds it there.
    pub(super) fn ask_sources(&self) {
        let named = self.definition.env;
        let variable = variable_of_name(&self.name);
        // The variable that the code names has been read already.
        if let Some(variable) = variable.filter(|variable| Some(&**variable) != named) {
            self.read_variable_of_name(&variable);
        }
        let source = in_force();
        let (values, key_limits) = (self.supported(&source), self.supported_key_limits(&source));
        if !values.is_empty() || !key_limits.is_empty() {
            self.configure(source.version, values, key_limits);
        }
    }

    fn read_variable_of_name(&self, variable: &str) {
        match read_variable(variable) {
            Ok(None) => {}
            Ok(Some(limit)) => {
                let value = SettingValue::Count(clamp_limit(limit) as usize);
                self.override_with(Source::Environment, |values| {
                    // The variable that the code names wins over the one made from the name.
                    if values.get(SettingKind::Limit).is_none() {
                        values.put(SettingKind::Limit, value);
                    }
                });
            }
            Err(problem) => self.note(true, format!("{problem}; it is not used")),
        }
    }

    /// Returns the source's limits of single keys, if this limiter supports them. Notes an error if it does not.
    pub(super) fn supported_key_limits(&self, source: &InForce) -> BTreeMap<String, usize> {
        let limits = source.key_limits(&self.name);
        match (limits.keys().next(), self.supports_key_limits()) {
            (Some(key), Err(unsupported)) => {
                let origin = source.key_origin(&self.name, key);
                let origin = origin.map_or_else(String::new, |origin| format!("{origin}: "));
                self.note(true, format!("{origin}{unsupported}"));
                BTreeMap::new()
            }
            _ => limits,
        }
    }

    /// Returns the source's values that this limiter supports. Notes an error about each of the
    /// others.
    pub(super) fn supported(&self, source: &InForce) -> SettingValues {
        let values = source.values(&self.name);
        let mut supported = values;
        for (kind, value) in values.iter() {
            if let Err(unsupported) = self.supports(kind, value) {
                let origin = source.origin(&self.name, kind);
                let origin = origin.map_or_else(String::new, |origin| format!("{origin}: "));
                self.note(true, format!("{origin}{unsupported}"));
                supported.unset(kind);
            }
        }
        supported
    }
}
