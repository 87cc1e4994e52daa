//! Settings by limiter name, from files and the environment.
//!
//! ```toml
//! # limits.toml
//! ["payments::charge"]
//! limit = 32               # permits; 0 pauses
//! max_waiting = 100        # calls; 0: nobody waits
//! max_wait = "250ms"
//!
//! ["payments::*"]          # all others whose name begins like that
//! limit = 8
//!
//! ["reports"]
//! shadow = true            # lets everybody in, and counts what it would have done
//! # enabled = false        # or: no limit at all
//! ```
//!
//! ```no_run
//! use limit_runtime::config::{Config, ConfigError};
//!
//! # fn main() -> Result<(), ConfigError> {
//! let _watcher = Config::watch("limits.toml").start()?; // applies it, and each edit
//! # Ok(())
//! # }
//! ```
//!
//! [`Config::watch`] says which files can be watched, and when the settings stay although the file changes.
//!
//! # Settings
//!
//! | setting | value | also by |
//! |---|---|---|
//! | `limit` | a whole number from 0 to 2147483647 | [`set_limit`](crate::LimiterHandle::set_limit) |
//! | `max_waiting` | a whole number from 0 to 4294967294 | [`set_max_waiting`](crate::LimiterHandle::set_max_waiting) |
//! | `max_wait` | a span of time, `"50ms"`, `"1m 30s"` | [`set_max_wait`](crate::LimiterHandle::set_max_wait) |
//! | `enabled` | `false`: no limit; `true`: what the calls themselves say | [`set_enabled`](crate::LimiterHandle::set_enabled) |
//! | `shadow` | `true`: nobody waits and nobody is refused, but it is counted | [`set_shadow`](crate::LimiterHandle::set_shadow) |
//!
//! `max_waiting` and `max_wait` are for limiters whose calls can be refused: a function with one of the
//! two in its attribute, a `Limiter<Rejected>`. For others they are a contradiction (but a shadow may have
//! `max_waiting`: it counts whom it would have refused). What a call says
//! itself ([`Acquire::max_wait`](crate::Acquire::max_wait), `max_wait = expression` of the attribute) no
//! configuration overrides.
//!
//! # Who is heard
//!
//! Each of these overrides those before it, setting by setting; a [snapshot's
//! settings](crate::Settings) say which it was:
//!
//! 1. the **attribute**, or how a limiter was made;
//! 2. the **file**: the [`Config`] that was applied last. What it does not mention any more is given up.
//! 3. the **environment**: the variable that the attribute names (`env = "…"`), or else, for the limit,
//!    `LIMIT_` and the limiter's name in capitals with underscores: `LIMIT_PAYMENTS_CHARGE`; a name
//!    without letters or digits of ASCII has none. A whole number from 1 up. Read when the limiter is
//!    first used;
//! 4. a **live** change: `set_limit` and its like, until [`reset`](crate::LimiterHandle::reset).
//!
//! # Names
//!
//! A name is a limiter's, as in figures and errors; `*` in it stands for any text. Where several mean a
//! limiter, each setting is that of the closest name that has it: one without `*`, then the one with the
//! most letters of its own. Limiters that are not in use yet take their settings up when they are
//! first used; a name that means none so far is [pending](Applied::pending), which may be a slip of the
//! pen: then the nearest name that is known is told.
//!
//! A function whose attribute has no `name` is named after its path: module and function, without the
//! type whose method it is. Two methods of one module that are called alike ask for one name. Whichever
//! is used first has it, and the other is numbered (`payments::fetch#2`). Give each a `name`. Such names
//! are told as [ambiguous](Applied::ambiguous), and the limiters' snapshots warn of them.
//!
//! Needs the feature `config`.

mod applied;
mod error;
mod file;
mod layer;
mod names;
mod table;
mod watch;

use crate::limiter::settings::Values;
use crate::limiter::{Entry, entries};
use crate::unwind::run_all_then_resume_panic;
pub use applied::{Ambiguous, Applied, Change, Pending};
pub use error::ConfigError;
pub(crate) use layer::first_used;
use serde::de::{Deserialize, Deserializer};
use std::any::Any;
use std::collections::BTreeMap;
use std::iter::zip;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use table::Table;
use toml::de::{DeTable, DeValue};
pub use watch::{Watch, Watcher};

/// Of so many names that mean nobody the nearest is sought: to compare all with all takes long, and more
/// are no slips of the pen.
const SOUGHT: usize = 100;

/// Settings by limiter name. See the [module](self).
///
/// It is read from whatever serde reads: TOML by [`from_toml`](Self::from_toml), which knows the line
/// and column of what is wrong, or by another format's functions.
///
/// # Examples
///
/// ```
/// use limit_runtime::config::Config;
/// use limit_runtime::{Limiter, Source};
///
/// static DB: Limiter = Limiter::new("config-example", 10);
///
/// let config: Config = serde_json::from_str(r#"{ "config-*": { "limit": 3 } }"#)?;
/// let applied = config.apply()?;
/// assert_eq!(applied.pending()[0].name(), "config-*"); // nobody has used it so far
///
/// assert_eq!(DB.limit(), 3);
/// assert_eq!(DB.snapshot().settings.limit.source, Source::File);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    tables: BTreeMap<String, Table>,
    /// Where settings stand, by name and setting, if that is known.
    places: BTreeMap<(String, String), (usize, usize)>,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { tables: table::tables(deserializer)?, places: BTreeMap::new() })
    }
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// If it is none, has a field that is unknown, a value out of range or a contradiction.
    ///
    /// # Examples
    ///
    /// ```
    /// use limit_runtime::config::Config;
    ///
    /// let error = Config::from_toml("[\"db\"]\nlimit = -1").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "2:9: invalid value: integer `-1`, expected a whole number from 0 (which pauses) to 2147483647"
    /// );
    /// ```
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Result<Self, _> = toml::from_str(text);
        let mut config = config.map_err(|error| ConfigError::toml(&error, text))?;
        let document = DeTable::parse(text).map_err(|error| ConfigError::toml(&error, text))?;
        for (name, table) in document.get_ref() {
            let DeValue::Table(table) = table.get_ref() else { continue };
            for setting in table.keys() {
                let place = error::line_and_column(&setting.span(), text);
                let key = (name.get_ref().to_string(), setting.get_ref().to_string());
                config.places.insert(key, place);
            }
        }
        Ok(config)
    }

    /// Puts it in force, in place of the configuration that was applied before: for the limiters that
    /// there are, and for those that are first used later. With ten thousand limiters that takes a tenth of
    /// a second or so: in a task of tokio's, leave it to `spawn_blocking` then.
    ///
    /// # Errors
    ///
    /// If a setting does not fit a limiter that is in use. Then nothing has been changed.
    ///
    /// # Panics
    ///
    /// If the waker of a call that is let in does; when all has been applied.
    pub fn apply(self) -> Result<Applied, ConfigError> {
        let (applied, panicked) = self.apply_all()?;
        match panicked {
            Some(panic) => resume_unwind(panic),
            None => Ok(applied),
        }
    }

    /// The same; what those panicked with who were woken is given back.
    fn apply_all(self) -> Result<(Applied, Option<Panic>), ConfigError> {
        let config = Arc::new(self);
        for entry in entries() {
            let unsupported = |error: crate::Unsupported| {
                let at = config.place(&entry.name, error.setting());
                ConfigError::unsupported(error, at)
            };
            entry.supports(&config.values(&entry.name)).map_err(unsupported)?;
        }
        let version = layer::put_in_force(&config);
        // Again: one may have been used for the first time meanwhile.
        let limiters = entries();
        let before: Vec<_> = limiters.iter().map(|entry| entry.current_settings()).collect();
        let configured = catch_unwind(AssertUnwindSafe(|| {
            run_all_then_resume_panic(&limiters, |entry| {
                entry.configure(version, layer::what_fits(entry, config.values(&entry.name)));
            });
        }));
        let changes = zip(&limiters, &before)
            .flat_map(|(entry, before)| Change::between(entry, before, &entry.current_settings()))
            .collect();
        let pending = config.pending(&limiters);
        let ambiguous = config.ambiguous(&limiters);
        Ok((Applied { changes, pending, ambiguous }, configured.err()))
    }

    /// What it says of a limiter.
    fn values(&self, name: &str) -> Values {
        let mut values = Values::default();
        for (_, table) in self.meaning(name) {
            table.override_in(&mut values);
        }
        values
    }

    /// The tables that mean a limiter, the closest last.
    fn meaning(&self, name: &str) -> Vec<(&str, &Table)> {
        let tables = self.tables.iter().map(|(pattern, table)| (pattern.as_str(), table));
        let is_meant = |pattern| {
            if names::is_pattern(pattern) { names::matches(pattern, name) } else { pattern == name }
        };
        let mut tables: Vec<_> = tables.filter(|(pattern, _)| is_meant(pattern)).collect();
        tables.sort_by_key(|(pattern, _)| names::closeness(pattern));
        tables
    }

    /// Where the setting stands that a limiter has.
    fn place(&self, name: &str, setting: &str) -> Option<(usize, usize)> {
        let closest_first = self.meaning(name).into_iter().rev();
        let mut keys = closest_first.map(|(pattern, _)| (pattern.to_owned(), setting.to_owned()));
        keys.find_map(|key| self.places.get(&key).copied())
    }

    /// The names that mean no limiter.
    fn pending(&self, limiters: &[Arc<Entry>]) -> Vec<Pending> {
        let known = || limiters.iter().map(|entry| &*entry.name);
        let pending = |name: &&String| {
            if names::is_pattern(name) {
                !known().any(|known| names::matches(name, known))
            } else {
                !known().any(|known| known == name.as_str())
            }
        };
        let names = self.tables.keys().filter(pending).enumerate();
        names
            .map(|(number, name)| {
                let nearest = if number < SOUGHT { names::nearest(name, known()) } else { None };
                Pending { name: name.clone(), nearest: nearest.map(str::to_owned) }
            })
            .collect()
    }

    /// The names that mean a function's limiter, but may mean another's at the next start.
    fn ambiguous(&self, limiters: &[Arc<Entry>]) -> Vec<Ambiguous> {
        let named = limiters.iter().filter(|entry| self.tables.contains_key(&*entry.name));
        named
            .filter_map(|entry| {
                Some(Ambiguous { name: entry.name.to_string(), functions: entry.same_name()? })
            })
            .collect()
    }
}

/// What somebody has panicked with.
type Panic = Box<dyn Any + Send>;

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_the_name_in_capitals() {
        let variable = |name| layer::variable(name).expect("it has letters");
        assert_eq!(variable("payments::charge"), "LIMIT_PAYMENTS_CHARGE");
        assert_eq!(variable("a-b c#2"), "LIMIT_A_B_C_2");
        assert_eq!(variable("::x::"), "LIMIT_X");
    }

    #[test]
    fn a_name_without_letters_that_variables_have_has_none() {
        // And does not listen to `LIMIT`, as all its like would.
        assert_eq!(["", "::", "\u{e4}"].map(layer::variable), [const { None }; 3]);
    }

    #[test]
    fn the_table_has_every_setting() {
        let error = Config::from_toml("[a]\nunknown = 1").expect_err("it is unknown").to_string();
        let (_, known) = error.split_once("expected one of ").expect("it lists what is known");
        let settings: Vec<_> = known.split(", ").map(|name| name.trim_matches('`')).collect();
        let table: Vec<_> = include_str!("config.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `")?.split_once('`'))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(table, settings);
    }

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_for_anything() {
        assert!(names::matches("payments::*", "payments::charge"));
        assert!(names::matches("*::charge", "payments::charge"));
        assert!(names::matches("*", ""));
        assert!(!names::matches("payments::*", "payment::charge"));
        assert!(!names::matches("a?c", "abc"));
        assert!(names::matches("a?*", "a?c"));
    }
}
