//! The constants of the controller.

use std::time::Duration;

/// The constants, and why they are so. The benchmark changes one at a time to show what each is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Seconds between questions. A question costs half of the limit for about a second; twice as
    /// many were worse in each scenario.
    pub(crate) period: u32,
    /// Questions lie at multiples of the period plus this: not on full minutes, when other things happen.
    pub(crate) phase: Duration,
    /// The standard error that a cohort's mean may have. Half of the limit at the same throughput is `ln 2` away: four
    /// of them.
    pub(crate) error: f64,
    /// The weight of a new cohort in a mean. It averages about six.
    pub(crate) weight: f64,
    /// A time that differs by more than this (in its logarithm) is no noise: twice as long is news.
    pub(crate) jump: f64,
    /// Times cut the limit no lower than to this share of what it was at the last question, because after a cut `R0`
    /// belongs to another limit.
    pub(crate) floor: f64,
    /// The size of the first two cohorts. Twice the time, of two means of so many exponential times, lies three standard
    /// errors apart.
    pub(crate) first: u32,
    /// The second cohort has at least this limit: twice the lowest one of a range that begins with 1.
    pub(crate) second: u32,
    /// The second cohort's calls take longer than the first one's if their mean lies more standard errors above.
    pub(crate) chance: f64,
    /// The limit is `N` and so many roots of it. `Favor::slack` has others.
    pub(crate) slack: f64,
    /// The limit rests at this multiple of the lowest or above, so that a question can halve it.
    pub(crate) lowest: u32,
    /// A call counts with at most so many times `R`, and no full cohort waits longer for its last
    /// ones. So a question, whose cohort is small, and a cohort of the full limit leave out the same
    /// part of long calls, and their ratio stays right. Of exponential times that is one in 150.
    pub(crate) patience: f64,
}

impl Rules {
    pub(crate) const DEFAULT: Self = Self {
        period: 10,
        phase: Duration::from_millis(6_180),
        error: 0.15,
        weight: 0.3,
        jump: std::f64::consts::LN_2,
        floor: 0.5,
        first: 32,
        second: 4,
        chance: 2.0,
        slack: 1.0,
        lowest: 2,
        patience: 5.0,
    };
}
