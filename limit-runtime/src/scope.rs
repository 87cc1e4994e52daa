//! What a limiter's permits are shared by.

use std::fmt;

/// What a limiter's permits are shared by.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, Scope};
///
/// static LICENCES: Limiter = Limiter::new("licences", 5).scope(Scope::Process);
/// assert_eq!(LICENCES.snapshot().scope, Scope::Process);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Scope {
    /// One runtime: each has its own permits, made when it is first seen, gone when it ends. Calls
    /// outside any runtime share one set.
    #[default]
    Runtime,
    /// The whole process, over all its runtimes. A permit that is held on a runtime that does not
    /// run is missed by all others.
    Process,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Scope::Runtime => "runtime",
            Scope::Process => "process",
        })
    }
}
