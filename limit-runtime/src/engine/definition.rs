//! The part of a limiter that its code fixes.

use crate::policy::{MaxWait, Policy, clamp_limit};
use crate::scope::Scope;
use std::fmt;
use std::panic::Location;

/// Where the limit comes from if no setting overrides it.
#[derive(Clone, Copy)]
pub(crate) enum LimitSource {
    Fixed(usize),
    /// An expression, evaluated once for each scope when a call first needs the limit.
    Lazy(fn() -> usize),
}

impl LimitSource {
    pub(super) fn fixed(self) -> Option<u32> {
        match self {
            Self::Fixed(limit) => Some(clamp_limit(limit)),
            Self::Lazy(_) => None,
        }
    }
}

impl fmt::Debug for LimitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(limit) => limit.fmt(f),
            Self::Lazy(_) => f.write_str("found out on first use"),
        }
    }
}

/// The code's word on a limiter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    pub(crate) limit: LimitSource,
    pub(crate) scope: Scope,
    pub(crate) policy: Policy,
    pub(crate) max_wait: Option<MaxWait>,
    pub(crate) enabled: bool,
    /// Whether calls can be told that they are refused.
    pub(crate) fallible: bool,
    /// The environment variable that the code names.
    pub(crate) env: Option<&'static str>,
    /// The function after which the limiter is named, if it is.
    pub(crate) function: Option<&'static Location<'static>>,
    /// Whether the name is the user's, who can give another.
    pub(crate) is_named: bool,
}
