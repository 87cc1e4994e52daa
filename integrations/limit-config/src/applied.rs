//! The result of applying a configuration.

use crate::key_limits::setting_of;
use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, ValueType};
use limit_runtime::{KeyLimit, Settings, Source};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// The result of applying a [`Config`](crate::Config).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub(crate) changes: Vec<Change>,
    pub(crate) overridden: Vec<Overridden>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) ambiguous: Vec<Ambiguous>,
}

impl Applied {
    /// Returns the settings that were changed, of the limiters in use.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns the values that are not in force because a stronger source has set the setting: the
    /// environment, or a change while the program runs.
    #[must_use]
    pub fn overridden(&self) -> &[Overridden] {
        &self.overridden
    }

    /// Returns the names that mean no limiter in use.
    #[must_use]
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Returns the names that two functions have by default: the function that is used first gets the name.
    #[must_use]
    pub fn ambiguous(&self) -> &[Ambiguous] {
        &self.ambiguous
    }
}

impl fmt::Display for Applied {
    /// Writes a line for each change, for each value that is overridden, for each name that is pending, and for
    /// each that is ambiguous.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        for overridden in &self.overridden {
            writeln!(f, "{overridden}")?;
        }
        for pending in &self.pending {
            writeln!(f, "{pending}")?;
        }
        for ambiguous in &self.ambiguous {
            writeln!(f, "{ambiguous}")?;
        }
        Ok(())
    }
}

/// A setting of a limiter that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    limiter: String,
    setting: Cow<'static, str>,
    before: String,
    after: String,
}

impl Change {
    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the setting's name. For the limit of a single key it is `key.` and the key in quotes.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Returns the value before, as text: a number, `true`, `none`, `never`, a [`Duration`] as `{:?}` shows it.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.before
    }

    /// Returns the value now, as text.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.after
    }

    /// Lists the settings of a limiter whose values differ.
    pub(crate) fn between<'a>(
        limiter: &'a str,
        before: &'a Settings,
        after: &'a Settings,
    ) -> impl Iterator<Item = Self> + 'a {
        let both = before.iter().map(|(kind, before)| (kind, before.value, after.get(kind).value));
        both.filter(|(_, before, after)| before != after).map(move |(setting, before, after)| {
            let text = |value| value_text(setting, value);
            let (before, after) = (text(before), text(after));
            Self { limiter: limiter.to_owned(), setting: setting.name().into(), before, after }
        })
    }

    /// Lists the keys whose own limits differ.
    pub(crate) fn between_keys(
        limiter: &str,
        before: &[KeyLimit],
        after: &[KeyLimit],
    ) -> Vec<Self> {
        let by_key = |limits: &[KeyLimit]| -> BTreeMap<String, usize> {
            limits.iter().map(|limit| (limit.key.clone(), limit.limit)).collect()
        };
        let (before, after) = (by_key(before), by_key(after));
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed = keys.into_iter().filter(|&key| before.get(key) != after.get(key));
        let text =
            |limit: Option<&usize>| limit.map_or_else(|| "none".to_owned(), usize::to_string);
        changed
            .map(|key| Self {
                limiter: limiter.to_owned(),
                setting: setting_of(key).into(),
                before: text(before.get(key)),
                after: text(after.get(key)),
            })
            .collect()
    }
}

/// Returns a value as text. `None` is no bound.
fn value_text(setting: SettingKind, value: Option<SettingValue>) -> String {
    match (setting.value_type(), value) {
        (ValueType::DurationOrNever, None | Some(SettingValue::Duration(Duration::MAX))) => {
            "never".to_owned()
        }
        (_, None) => "none".to_owned(),
        (_, Some(value)) => value.to_string(),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, setting, before, after } = self;
        write!(f, "{limiter}: {setting} {before} -> {after}")
    }
}

/// A value of the configuration that is not in force, because a stronger source has set the setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden {
    limiter: String,
    setting: Cow<'static, str>,
    value: String,
    by: Source,
}

impl Overridden {
    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the setting's name. For the limit of a single key it is `key.` and the key in quotes.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Returns the source whose value is in force.
    #[must_use]
    pub fn by(&self) -> Source {
        self.by
    }

    /// Lists the values that are not in force for this limiter.
    pub(crate) fn among<'a>(
        values: &'a SettingValues,
        limiter: &'a str,
        settings: &'a Settings,
    ) -> impl Iterator<Item = Self> + 'a {
        values.iter().filter_map(|(setting, value)| {
            let by = settings.get(setting).source;
            let is_stronger = by > Source::File;
            is_stronger.then(|| Self {
                limiter: limiter.to_owned(),
                setting: setting.name().into(),
                value: value_text(setting, Some(value)),
                by,
            })
        })
    }

    /// Lists the limits of single keys that are not in force.
    pub(crate) fn among_keys(
        limits: Vec<(String, usize)>,
        limiter: &str,
        in_force: Vec<KeyLimit>,
    ) -> impl Iterator<Item = Self> {
        let stronger = in_force.into_iter().filter(|known| known.source > Source::File);
        let stronger: BTreeMap<_, _> = stronger.map(|known| (known.key, known.source)).collect();
        limits.into_iter().filter_map(move |(key, limit)| {
            let by = *stronger.get(&key)?;
            let (setting, value) = (setting_of(&key).into(), limit.to_string());
            Some(Self { limiter: limiter.to_owned(), setting, value, by })
        })
    }
}

impl fmt::Display for Overridden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, setting, value, by } = self;
        write!(f, "{limiter}: {setting} {value} is not in force: ")?;
        match by {
            Source::Environment => f.write_str("a variable of the environment is stronger"),
            _ => f.write_str("it was changed while the program runs; reset it to use the file"),
        }
    }
}

/// A name that means no limiter in use. Either its limiter is used later, or the name is misspelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub(crate) name: String,
    pub(crate) nearest: Option<String>,
}

impl Pending {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the limiter in use that may be meant: its name, or the last segment of its path, is similar.
    /// A limiter that the configuration names itself is not meant. Only the first hundred names are
    /// compared; for later ones it is `None`.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no limiter named `{}` is in use yet", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// A name that two functions have by default. One of the two has it now, the other one got a number.
///
/// The default name of a function is its path, which lacks the type of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    pub(crate) name: String,
    pub(crate) functions: [&'static Location<'static>; 2],
}

impl Ambiguous {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the locations of the two functions. There may be more functions with that name.
    #[must_use]
    pub fn functions(&self) -> [&'static Location<'static>; 2] {
        self.functions
    }
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, functions: [first, second] } = self;
        write!(
            f,
            "two functions are named `{name}` by default, at {first} and {second}; give each its \
             own `name = \"...\"`"
        )
    }
}
