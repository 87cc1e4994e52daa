//! The figures of a limit that adapts.

use crate::adaptive::Favor;
use std::time::Duration;

/// The figures of a limit that [adapts](crate::Limiter::adaptive), in one runtime.
///
/// # Examples
///
/// ```
/// use limit_runtime::Limiter;
///
/// let db = Limiter::adaptive("adaptive-figures-example", 4..=200);
/// let _permit = db.try_acquire()?;
/// let figures = db.snapshot().adaptive.expect("its limit adapts");
/// assert_eq!((figures.low, figures.high, figures.limit), (4, 200, 8));
/// # Ok::<(), limit_runtime::Rejected>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a figure by itself")]
pub struct AdaptiveFigures {
    /// The lower end of the range.
    pub low: usize,
    /// The upper end of the range.
    pub high: usize,
    /// The limit that was chosen or set, or with keys, the total. It is in force, unless calls are held off.
    pub limit: usize,
    /// The time of a call at half of the limit, when it does not wait for others behind the limiter. `None` before the
    /// first question was answered.
    pub base_time: Option<Duration>,
    /// The time of a call at the limit. `None` before it is known.
    pub time: Option<Duration>,
    /// The number of running calls that wait for others behind the limiter, at the limit. `None` before both times are
    /// known.
    pub queue: Option<usize>,
    /// The limit that [advice](crate::Limiter::advise) would choose. `None` without advice, and before there is any.
    pub advice: Option<usize>,
    /// `true` if the limiter only [advises](crate::Limiter::advise), and leaves the limit as it is.
    pub is_advising: bool,
    /// The side that the limit [favors](crate::Limiter::favor). `None` if it is in between.
    pub favor: Option<Favor>,
    /// `true` while a question halves the limit.
    pub is_asking: bool,
    /// `true` if the limit was set by hand or by a file, and stays until that is undone.
    pub is_frozen: bool,
    /// `true` while new calls are held off: see [`Permit::overloaded_for`](crate::Permit::overloaded_for).
    pub is_held_off: bool,
    /// The reason for the last change. `None` before the first one.
    pub last_change: Option<AdaptiveCause>,
}

/// A reason for which a limit that adapts changes.
///
/// # Examples
///
/// ```
/// use limit_runtime::AdaptiveCause;
///
/// assert_eq!(AdaptiveCause::Grow.to_string(), "grow");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AdaptiveCause {
    /// The backend can work on more calls at a time.
    Grow,
    /// Calls wait for others behind the limiter.
    Cut,
    /// More than a tenth of the calls found the backend [overloaded](crate::Permit::overloaded).
    Overload,
    /// The limit was halved for a moment, to learn the time of a call that waits for no other.
    Question,
    /// The limit is back from a question.
    Answer,
}

impl AdaptiveCause {
    /// All reasons.
    pub const ALL: &'static [Self] = &crate::variants::all_variants!(
        AdaptiveCause: Grow, Cut, Overload, Question, Answer
    );

    /// Returns the name in figures and with `serde`, such as `grow`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grow => "grow",
            Self::Cut => "cut",
            Self::Overload => "overload",
            Self::Question => "question",
            Self::Answer => "answer",
        }
    }
}

impl std::fmt::Display for AdaptiveCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The changes of a limit that adapts, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct AdaptedCounts {
    /// Changes by [`AdaptiveCause::Grow`].
    pub grow: u64,
    /// Changes by [`AdaptiveCause::Cut`].
    pub cut: u64,
    /// Changes by [`AdaptiveCause::Overload`].
    pub overload: u64,
    /// Changes by [`AdaptiveCause::Question`].
    pub question: u64,
    /// Changes by [`AdaptiveCause::Answer`].
    pub answer: u64,
}

impl AdaptedCounts {
    /// Returns the count for one reason.
    #[must_use]
    pub fn get(&self, cause: AdaptiveCause) -> u64 {
        match cause {
            AdaptiveCause::Grow => self.grow,
            AdaptiveCause::Cut => self.cut,
            AdaptiveCause::Overload => self.overload,
            AdaptiveCause::Question => self.question,
            AdaptiveCause::Answer => self.answer,
        }
    }

    /// Returns the count over all reasons.
    #[must_use]
    pub fn total(&self) -> u64 {
        AdaptiveCause::ALL.iter().map(|&cause| self.get(cause)).sum()
    }

    pub(crate) fn count(&mut self, cause: AdaptiveCause) {
        *self.get_mut(cause) += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for &cause in AdaptiveCause::ALL {
            *self.get_mut(cause) += other.get(cause);
        }
    }

    #[cfg(feature = "inspect")]
    pub(super) fn subtract(&mut self, other: &Self) {
        for &cause in AdaptiveCause::ALL {
            let count = self.get_mut(cause);
            *count = count.saturating_sub(other.get(cause));
        }
    }

    fn get_mut(&mut self, cause: AdaptiveCause) -> &mut u64 {
        match cause {
            AdaptiveCause::Grow => &mut self.grow,
            AdaptiveCause::Cut => &mut self.cut,
            AdaptiveCause::Overload => &mut self.overload,
            AdaptiveCause::Question => &mut self.question,
            AdaptiveCause::Answer => &mut self.answer,
        }
    }
}
