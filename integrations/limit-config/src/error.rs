//! The error of a configuration that was not applied.

use crate::position::Position;
use limit_runtime::Unsupported;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The error of a configuration that was not applied. None of its settings was changed.
///
/// `Display` begins with the position, as far as it is known: `limits.toml:3:1: unknown field …`.
///
/// # Examples
///
/// ```
/// use limit_config::{Config, ConfigErrorKind};
///
/// let error = Config::from_toml("[db]\nlimt = 3").unwrap_err();
/// assert_eq!(error.kind(), ConfigErrorKind::Parse);
/// assert_eq!((error.line(), error.column()), (Some(2), Some(1)));
/// assert!(error.to_string().starts_with("2:1: unknown field `limt`"));
/// ```
pub struct ConfigError {
    path: Option<PathBuf>,
    position: Option<Position>,
    problem: Problem,
}

/// The kind of a [`ConfigError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// The file cannot be read: it is missing or too large, or the system refuses.
    Read,
    /// The path cannot be watched: it is not a regular file, or the system starts no thread.
    Watch,
    /// A watched file was emptied.
    Empty,
    /// The text is wrong: its encoding, its syntax, a name, a value, or two settings that contradict each
    /// other.
    Parse,
    /// A limiter in use does not support a setting. [`source`](std::error::Error::source) is the
    /// [`Unsupported`] error.
    Unsupported,
}

#[derive(Debug)]
enum Problem {
    Read(io::Error),
    Watch(io::Error),
    Empty,
    Parse(String),
    Unsupported(Unsupported),
}

impl ConfigError {
    fn new(problem: Problem) -> Self {
        Self { path: None, position: None, problem }
    }

    pub(crate) fn read(error: io::Error) -> Self {
        Self::new(Problem::Read(error))
    }

    pub(crate) fn watch(error: io::Error) -> Self {
        Self::new(Problem::Watch(error))
    }

    pub(crate) fn empty() -> Self {
        Self::new(Problem::Empty)
    }

    pub(crate) fn parse(message: impl fmt::Display) -> Self {
        Self::new(Problem::Parse(message.to_string()))
    }

    pub(crate) fn unsupported(unsupported: Unsupported) -> Self {
        Self::new(Problem::Unsupported(unsupported))
    }

    pub(crate) fn at(self, position: Option<Position>) -> Self {
        Self { position, ..self }
    }

    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ConfigErrorKind {
        match self.problem {
            Problem::Read(_) => ConfigErrorKind::Read,
            Problem::Watch(_) => ConfigErrorKind::Watch,
            Problem::Empty => ConfigErrorKind::Empty,
            Problem::Parse(_) => ConfigErrorKind::Parse,
            Problem::Unsupported(_) => ConfigErrorKind::Unsupported,
        }
    }

    /// Returns the line, from 1, if it is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.position.map(|position| position.line)
    }

    /// Returns the column in characters, from 1, if it is known.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.position.map(|position| position.column)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}:", path.display())?;
        }
        match self.position {
            Some(position) => write!(f, "{position}: ")?,
            None if self.path.is_some() => f.write_str(" ")?,
            None => {}
        }
        match &self.problem {
            Problem::Read(error) => write!(f, "cannot be read: {error}"),
            Problem::Watch(error) => write!(f, "cannot be watched: {error}"),
            Problem::Empty => f.write_str(
                "it is empty, and an empty file gives no settings up; to give all up, write a comment",
            ),
            Problem::Parse(message) => f.write_str(message),
            Problem::Unsupported(unsupported) => unsupported.fmt(f),
        }
    }
}

/// A `main` that returns the error shows its `Debug` form, so that form is the kind and the message.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigError")
            .field("kind", &self.kind())
            .field("message", &format_args!("{self}"))
            .finish()
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Read(error) | Problem::Watch(error) => Some(error),
            Problem::Empty | Problem::Parse(_) => None,
            Problem::Unsupported(unsupported) => Some(unsupported),
        }
    }
}
