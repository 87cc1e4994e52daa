//! The scope of a limiter: which calls share its permits.

use std::fmt;

/// The calls that share a limiter's permits.
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
    /// The calls of one runtime. Each runtime has its own permits from its first call to its end.
    /// Calls outside any runtime share one set of permits.
    #[default]
    Runtime,
    /// All calls of the process, in all its runtimes. If a runtime holds a permit and does not run,
    /// all other runtimes lack that permit.
    Process,
    /// All calls of all processes of a fleet. The crate [`limit-fleet`] leases a share of the
    /// permits for this process, whose runtimes then share them as with [`Process`](Self::Process).
    ///
    /// Until the program starts a fleet, the limit holds for the process alone, and the limiter's
    /// [`Snapshot`](crate::Snapshot) has a warning.
    ///
    /// Each call takes one permit: a call of a larger weight is refused as
    /// [`TooHeavy`](crate::RejectedKind::TooHeavy). A limiter with this scope has no
    /// [`per`](crate::Limiter::per) and is no [`shadow`](crate::Limiter::shadow).
    ///
    /// [`limit-fleet`]: https://docs.rs/limit-fleet
    Fleet,
}

impl Scope {
    /// Returns the name, as the attribute has it: `runtime`, `process` or `fleet`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Process => "process",
            Self::Fleet => "fleet",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The fate of a call while the fleet of [`Scope::Fleet`] cannot be reached and the process has
/// no permits of it. See [`Limiter::on_unavailable`](crate::Limiter::on_unavailable).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnavailable {
    /// The call waits until the fleet can be reached again.
    Wait,
    /// The call is refused as [`Unavailable`](crate::RejectedKind::Unavailable).
    Refuse,
    /// The process goes on with so many permits of its own, but no more than the limit. So over the fleet at
    /// most the limit plus this number for each process that is cut off are out. With keys, each key has so
    /// many, and the total too.
    Local(u32),
}
