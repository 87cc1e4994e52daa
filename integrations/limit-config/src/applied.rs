//! What came of a configuration.

use crate::limiter::Entry;
use crate::limiter::settings::Settings;
use std::fmt::{self, Debug};
use std::panic::Location;

/// What came of a [`Config`](super::Config).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub(super) changes: Vec<Change>,
    pub(super) pending: Vec<Pending>,
    pub(super) ambiguous: Vec<Ambiguous>,
}

impl Applied {
    /// What is different now, of the limiters that are in use.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The names that mean no limiter that is in use.
    #[must_use]
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// The names that two functions have by default: which of them is meant depends on which is used
    /// first.
    #[must_use]
    pub fn ambiguous(&self) -> &[Ambiguous] {
        &self.ambiguous
    }
}

impl fmt::Display for Applied {
    /// A line for each change, each name that is pending and each that is ambiguous.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{change}")?;
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

/// A setting of a limiter that is different now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    limiter: String,
    setting: &'static str,
    before: String,
    after: String,
}

impl Change {
    /// The limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// The setting.
    #[must_use]
    pub fn setting(&self) -> &str {
        self.setting
    }

    /// What it was before, as text: a number, `none`, a [`Duration`](std::time::Duration) as `{:?}` shows it.
    #[must_use]
    pub fn before(&self) -> &str {
        &self.before
    }

    /// What it is now, as text.
    #[must_use]
    pub fn after(&self) -> &str {
        &self.after
    }

    pub(super) fn between(entry: &Entry, before: &Settings, after: &Settings) -> Vec<Self> {
        fn text<T: Debug>(value: Option<&T>) -> String {
            value.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"))
        }

        let texts = |settings: &Settings| {
            [
                ("limit", settings.limit.value.to_string()),
                ("max_waiting", text(settings.max_waiting.value.as_ref())),
                ("max_wait", text(settings.max_wait.value.as_ref())),
                ("enabled", settings.enabled.value.to_string()),
                ("shadow", settings.shadow.value.to_string()),
            ]
        };
        let both = texts(before).into_iter().zip(texts(after));
        both.filter(|((_, before), (_, after))| before != after)
            .map(|((setting, before), (_, after))| Self {
                limiter: entry.name.to_string(),
                setting,
                before,
                after,
            })
            .collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, setting, before, after } = self;
        write!(f, "{limiter}: {setting} {before} -> {after}")
    }
}

/// A name that means no limiter that is in use: not yet, or never, if it is a slip of the pen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub(super) name: String,
    pub(super) nearest: Option<String>,
}

impl Pending {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The limiter in use whose name is nearest to it, if one is near. (Sought for the first hundred only.)
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: no such limiter is in use yet", self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// A name that two functions have by default, or had one of them not been numbered.
///
/// A function that has no `name` in its attribute is named after its path, in which the type is
/// missing whose method it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    pub(super) name: String,
    pub(super) functions: [&'static Location<'static>; 2],
}

impl Ambiguous {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the two functions stand. There may be more.
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
            "{name}: two functions are named so by default, at {first} and {second}; give each its \
             own `name = \"...\"`"
        )
    }
}
