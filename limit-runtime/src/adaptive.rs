//! Limits that find themselves: the range of a limit that adapts, what a call says of its backend, and the
//! [`controller`] that chooses the limit.

mod cohort;
pub(crate) mod controller;
mod estimator;
mod moments;
pub(crate) mod rules;
#[cfg(all(test, not(limit_loom)))]
mod tests;

use std::ops::RangeInclusive;
use std::time::Duration;

/// The range of a limit that adapts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Adaptation {
    pub(crate) low: u32,
    pub(crate) high: u32,
    /// The limit at the start, if the code says one.
    pub(crate) start: Option<u32>,
    /// The limit stays, and only figures say which one would be chosen.
    pub(crate) advises: bool,
    pub(crate) favor: Option<Favor>,
}

/// A choice between calls that are soon done and a backend that is never idle, for a limit that adapts.
///
/// Of the limit that is found, `N` calls work and the others keep the backend busy when times vary: `√N` of them. With
/// [`Latency`](Self::Latency) they are half as many, with [`Throughput`](Self::Throughput) twice as many.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Favor, Limiter};
///
/// static DB: Limiter = Limiter::adaptive("favor-example", 1..=200).favor(Favor::Latency);
/// # let _ = DB.limit();
/// assert_eq!(Favor::Latency.as_str(), "latency");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Favor {
    /// Fewer calls wait for others behind the limiter, and the backend is idle more often.
    Latency,
    /// The backend is idle less often, and calls take longer.
    Throughput,
}

impl Favor {
    /// Returns the name, as the attribute has it: `latency` or `throughput`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Throughput => "throughput",
        }
    }

    /// Returns how many roots of `N` the limit is above `N`.
    pub(crate) const fn slack(favor: Option<Self>) -> f64 {
        match favor {
            Some(Self::Latency) => 0.5,
            None => 1.0,
            Some(Self::Throughput) => 2.0,
        }
    }
}

impl Adaptation {
    /// Makes a range.
    ///
    /// # Panics
    ///
    /// If it begins with 0, ends before it begins, or ends above `most`.
    #[track_caller]
    #[expect(clippy::cast_possible_truncation, reason = "both are at most `most`")]
    pub(crate) const fn new(range: &RangeInclusive<usize>, most: u32) -> Self {
        let (low, high) = (*range.start(), *range.end());
        assert!(low > 0, "the range of a limit that adapts begins with at least 1");
        assert!(
            low <= high,
            "the range of a limit that adapts is empty: write the lower limit first"
        );
        assert!(
            high <= most as usize,
            "the range of a limit that adapts ends above the largest limit"
        );
        Self { low: low as u32, high: high as u32, start: None, advises: false, favor: None }
    }

    /// Makes a range whose ends were checked before, in place of the one in the code.
    pub(crate) fn between(low: u32, high: u32, made: Option<Self>) -> Self {
        // The start of the code, as near as the range allows.
        let start = made.and_then(|made| made.start).map(|start| start.clamp(low, high));
        let advises = made.is_some_and(|made| made.advises);
        Self { low, high, start, advises, favor: made.and_then(|made| made.favor) }
    }

    /// Returns the limit at the start: the lowest at which the controller rests, if the code says none.
    pub(crate) const fn first(&self) -> u32 {
        let lowest = self.low.saturating_mul(2);
        match self.start {
            Some(start) => start,
            None if self.high < lowest => self.high,
            None => lowest,
        }
    }
}

/// A verdict about a call's backend, made of the call's output. `bool` and `Option<Duration>` implement it.
///
/// `true` marks the call as one that found its backend overloaded. A duration does the same, and holds new calls
/// off for that long, as an answer with `Retry-After` asks for. `false` and `None` say that the call is as good as
/// any.
///
/// # Examples
///
/// ```
/// use limit_runtime::Overload;
/// use std::time::Duration;
///
/// assert_eq!(true.hold_off(), Some(Duration::ZERO));
/// assert_eq!(false.hold_off(), None);
/// assert_eq!(Some(Duration::from_secs(1)).hold_off(), Some(Duration::from_secs(1)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a call found its backend overloaded",
    label = "expected `bool` or `Option<Duration>`, found `{Self}`",
    note = "give `true` for an overloaded backend, or `Some(duration)` to hold new calls off for that long"
)]
pub trait Overload {
    /// Returns how long new calls are held off. `None` if the backend was not overloaded.
    fn hold_off(self) -> Option<Duration>;
}

impl Overload for bool {
    fn hold_off(self) -> Option<Duration> {
        self.then_some(Duration::ZERO)
    }
}

impl Overload for Option<Duration> {
    fn hold_off(self) -> Option<Duration> {
        self
    }
}
