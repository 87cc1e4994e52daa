//! Why a configuration was not applied.

use crate::limiter::Unsupported;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why a configuration was not applied: nothing of it was.
///
/// `Display` gives the place, as far as it is known: `limits.toml:3:1: unknown field …`.
#[derive(Debug)]
pub struct ConfigError {
    path: Option<PathBuf>,
    place: Option<Place>,
    problem: Problem,
}

/// Lines and columns, from 1. Columns count characters.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: usize,
    column: usize,
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
    pub(super) fn read(error: io::Error) -> Self {
        Self { path: None, place: None, problem: Problem::Read(error) }
    }

    pub(super) fn watch(error: io::Error) -> Self {
        Self { path: None, place: None, problem: Problem::Watch(error) }
    }

    pub(super) fn empty() -> Self {
        Self { path: None, place: None, problem: Problem::Empty }
    }

    /// `before` is what can be read.
    pub(super) fn not_utf8(before: &str) -> Self {
        let end = before.len();
        Self { place: Some(Place::of(&(end..end), before)), ..Self::parse("this is not UTF-8") }
    }

    pub(super) fn parse(message: impl fmt::Display) -> Self {
        Self { path: None, place: None, problem: Problem::Parse(message.to_string()) }
    }

    pub(super) fn toml(error: &toml::de::Error, text: &str) -> Self {
        let place = error.span().map(|span| Place::of(&span, text));
        Self { path: None, place, problem: Problem::Parse(error.message().to_owned()) }
    }

    pub(super) fn unsupported(unsupported: Unsupported, at: Option<(usize, usize)>) -> Self {
        let place = at.map(|(line, column)| Place { line, column });
        Self { path: None, place, problem: Problem::Unsupported(unsupported) }
    }

    pub(super) fn of_file(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// The line, from 1, if it is known.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.map(|place| place.line)
    }

    /// The column in characters, from 1, if it is known.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.place.map(|place| place.column)
    }
}

/// The line and column of a place in a text.
pub(super) fn line_and_column(span: &Range<usize>, text: &str) -> (usize, usize) {
    // Editors do not show a byte order mark.
    let before = text.get(..span.start).unwrap_or(text).trim_start_matches('\u{feff}');
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

impl Place {
    fn of(span: &Range<usize>, text: &str) -> Self {
        let (line, column) = line_and_column(span, text);
        Self { line, column }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}:", path.display())?;
        }
        match self.place {
            Some(Place { line, column }) => write!(f, "{line}:{column}: ")?,
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

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Read(error) | Problem::Watch(error) => Some(error),
            Problem::Empty | Problem::Parse(_) => None,
            Problem::Unsupported(unsupported) => Some(unsupported),
        }
    }
}
