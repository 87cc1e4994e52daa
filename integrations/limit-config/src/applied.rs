//! The result of applying a configuration.

use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, ValueType};
use limit_runtime::{Settings, Source};
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
    setting: SettingKind,
    before: String,
    after: String,
}

impl Change {
    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the setting's name.
    #[must_use]
    pub fn setting(&self) -> &str {
        self.setting.name()
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
            Self { limiter: limiter.to_owned(), setting, before: text(before), after: text(after) }
        })
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
    setting: SettingKind,
    value: SettingValue,
    by: Source,
}

impl Overridden {
    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the setting's name.
    #[must_use]
    pub fn setting(&self) -> &str {
        self.setting.name()
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
            is_stronger.then(|| Self { limiter: limiter.to_owned(), setting, value, by })
        })
    }
}

impl fmt::Display for Overridden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, setting, value, by } = self;
        let value = value_text(*setting, Some(*value));
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
