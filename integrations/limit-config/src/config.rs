//! The configuration: its values for each limiter, and how it comes into force.

use crate::applied::{Ambiguous, Applied, Change, Overridden, Pending};
use crate::document::{self, Positions};
use crate::error::ConfigError;
use crate::key_limits::setting_of;
use crate::names;
use crate::position::Position;
use crate::tables::{Table, Tables};
use crate::watcher::Shared;
use limit_runtime::inspect::namesakes;
use limit_runtime::settings::{SettingKind, SettingValues, SettingsSource, install};
use limit_runtime::{LimiterHandle, Unsupported, limiters};
use serde::de::{Deserialize, Deserializer};
use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

/// The number of pending names for which the nearest limiter is sought. To compare all names with all
/// limiters takes long, and nobody misspells more names than this.
const MOST_SOUGHT: usize = 100;

/// A panic of a waker.
pub(crate) type Panic = Box<dyn Any + Send>;

/// Settings by limiter name. See the [crate](crate).
///
/// serde reads it from any self-describing format. For TOML, [`from_toml`](Self::from_toml) also knows the
/// line and column of an error.
///
/// # Examples
///
/// ```
/// use limit_config::Config;
/// use limit_runtime::{Limiter, Source};
///
/// static DB: Limiter = Limiter::new("config-example", 10);
///
/// let config: Config = serde_json::from_str(r#"{ "config-*": { "limit": 3 } }"#)?;
/// let applied = config.apply()?;
/// assert_eq!(applied.pending()[0].name(), "config-*"); // no limiter of that name has been used so far
///
/// let limit = DB.snapshot().settings.limit;
/// assert_eq!((limit.value, limit.source), (3, Source::File));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    tables: BTreeMap<String, Table>,
    /// The names of tables that have a `*`, the closest first.
    patterns: Vec<String>,
    /// The positions of settings, if they are known.
    positions: Positions,
    /// The file, if it was read from one.
    path: Option<PathBuf>,
    /// The state of the watch, if the file is watched.
    watch: Weak<Shared>,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(Tables::deserialize(deserializer)?, Positions::new()))
    }
}

/// The values of a limiter: for each setting, that of the closest table which has it.
impl SettingsSource for Config {
    fn values(&self, limiter: &str) -> SettingValues {
        let mut values = SettingValues::default();
        for name in self.closest_first(limiter) {
            let mut weaker = self.tables[name].values;
            weaker.override_with(&values);
            values = weaker;
        }
        values
    }

    fn key_limits(&self, limiter: &str) -> Vec<(String, usize)> {
        let mut limits = BTreeMap::new();
        for name in self.closest_first(limiter) {
            for (key, limit) in &self.tables[name].key_limits {
                limits.entry(key.clone()).or_insert(*limit);
            }
        }
        limits.into_iter().collect()
    }

    fn key_origin(&self, limiter: &str, key: &str) -> Option<String> {
        self.origin_of(limiter, &setting_of(key))
    }

    fn origin(&self, limiter: &str, setting: SettingKind) -> Option<String> {
        self.origin_of(limiter, setting.name())
    }

    fn problem(&self) -> Option<String> {
        self.watch.upgrade()?.error().map(|error| error.to_string())
    }
}

impl Config {
    /// Returns the file, and the line and column of a setting, as far as they are known.
    fn origin_of(&self, limiter: &str, setting: &str) -> Option<String> {
        let path = self.path.as_ref().map(|path| path.display().to_string());
        let position = self.position(limiter, setting).map(|position| position.to_string());
        match (path, position) {
            (Some(path), Some(position)) => Some(format!("{path}:{position}")),
            (path, position) => path.or(position),
        }
    }

    fn new(Tables(tables): Tables, positions: Positions) -> Self {
        let patterns = tables.keys().filter(|name| names::is_pattern(name));
        let mut patterns: Vec<_> = patterns.cloned().collect();
        patterns.sort_by_key(|pattern| names::closeness(pattern));
        patterns.reverse();
        Self { tables, patterns, positions, path: None, watch: Weak::new() }
    }

    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// If the text is not TOML, has an unknown field or a value out of range, or contradicts itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_config::Config;
    ///
    /// let error = Config::from_toml("[\"db\"]\nlimit = -1").unwrap_err();
    /// let expected = "2:9: `limit` is -1: write a whole number from 0 (which pauses) to 2147483647";
    /// assert!(error.to_string().starts_with(expected));
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        document::read(text).map(|(tables, positions)| Self::new(tables, positions))
    }

    /// Puts the configuration in force, in place of the one that was applied before: for the limiters in use,
    /// and for those that are first used later. With ten thousand limiters this takes about a tenth of a
    /// second: a task of tokio's then leaves it to `spawn_blocking`.
    ///
    /// # Errors
    ///
    /// If a limiter in use does not support a setting. Nothing is changed then.
    ///
    /// # Panics
    ///
    /// If the waker of a call that is admitted panics, when everything was applied.
    pub fn apply(self) -> Result<Applied, ConfigError> {
        let (applied, panicked) = self.apply_all()?;
        match panicked {
            Some(panic) => resume_unwind(panic),
            None => Ok(applied),
        }
    }

    /// Puts the configuration in force, as [`apply`](Self::apply), and returns the panic of a waker.
    pub(crate) fn apply_all(&self) -> Result<(Applied, Option<Panic>), ConfigError> {
        let before = limiters().into_iter().map(|limiter| {
            let (settings, key_limits) = (limiter.settings(), limiter.key_limits());
            (limiter, settings, key_limits)
        });
        let before: Vec<_> = before.collect();
        // A panic comes after all limiters were changed, so there is a result to report.
        let panicked = match catch_unwind(AssertUnwindSafe(|| install(self.clone()))) {
            Ok(installed) => {
                installed.map_err(|error| self.unsupported(error))?;
                None
            }
            Err(panic) => Some(panic),
        };
        let changes = before.iter().flat_map(|(limiter, before, keys)| {
            let (name, after) = (limiter.name(), limiter.settings());
            let changes = Change::between(name, before, &after);
            changes
                .chain(Change::between_keys(name, keys, &limiter.key_limits()))
                .collect::<Vec<_>>()
        });
        let changes = changes.collect();
        let limiters = limiters();
        let overridden = limiters.iter().flat_map(|limiter| {
            let (values, settings) = (self.values(limiter.name()), limiter.settings());
            let keys = self.key_limits(limiter.name());
            let overridden = Overridden::among(&values, limiter.name(), &settings);
            let keys = Overridden::among_keys(keys, limiter.name(), limiter.key_limits());
            overridden.chain(keys).collect::<Vec<_>>()
        });
        let overridden = overridden.collect();
        let (pending, ambiguous) = (self.pending(&limiters), self.ambiguous(&limiters));
        Ok((Applied { changes, overridden, pending, ambiguous }, panicked))
    }

    /// Sets the file that the configuration was read from, and the state of the watch of that file.
    pub(crate) fn watched(self, path: &Path, watch: &Arc<Shared>) -> Self {
        Self { path: Some(path.to_owned()), watch: Arc::downgrade(watch), ..self }
    }

    /// Adds the position of the setting that the limiter does not support.
    fn unsupported(&self, error: Unsupported) -> ConfigError {
        let position = self.position(error.limiter(), error.setting());
        ConfigError::unsupported(error).at(position)
    }

    /// Finds the position of the limiter's setting in the closest table that has it.
    fn position(&self, limiter: &str, setting: &str) -> Option<Position> {
        self.closest_first(limiter)
            .find_map(|name| self.positions.get(&(name.to_owned(), setting.to_owned())).copied())
    }

    /// Lists the names of the tables that mean a limiter, the closest first.
    fn closest_first<'a>(&'a self, limiter: &'a str) -> impl Iterator<Item = &'a str> {
        let exact = self.tables.get_key_value(limiter).map(|(name, _)| name);
        // A limiter whose own name has a `*` finds its table among the patterns.
        let exact = exact.filter(|name| !names::is_pattern(name));
        let patterns = self.patterns.iter();
        let patterns = patterns.filter(move |pattern| names::is_meant(pattern, limiter));
        exact.into_iter().chain(patterns).map(String::as_str)
    }

    /// Lists the names that mean none of the limiters.
    pub(crate) fn pending(&self, limiters: &[LimiterHandle]) -> Vec<Pending> {
        let known: HashSet<&str> = limiters.iter().map(LimiterHandle::name).collect();
        // A limiter that has its own table is not the one that another name means.
        let others = limiters.iter().map(LimiterHandle::name);
        let others: Vec<_> = others.filter(|name| !self.tables.contains_key(*name)).collect();
        let is_pending = |name: &&String| {
            if names::is_pattern(name) {
                !known.iter().any(|known| names::is_meant(name, known))
            } else {
                !known.contains(name.as_str())
            }
        };
        let pending = self.tables.keys().filter(is_pending).enumerate().map(|(index, name)| {
            let nearest = if index < MOST_SOUGHT { names::nearest(name, &others) } else { None };
            Pending { name: name.clone(), nearest: nearest.map(str::to_owned) }
        });
        pending.collect()
    }

    /// Lists the names that mean the limiter of one function now, and may mean that of another after a restart.
    fn ambiguous(&self, limiters: &[LimiterHandle]) -> Vec<Ambiguous> {
        let named = limiters.iter().filter(|limiter| self.tables.contains_key(limiter.name()));
        let ambiguous = named.filter_map(|limiter| {
            Some(Ambiguous { name: limiter.name().to_owned(), functions: namesakes(limiter)? })
        });
        ambiguous.collect()
    }
}
