//! What is wrong in a limiter's configuration and was worked around.

use super::Entry;
use std::panic::Location;

/// Something wrong in the configuration.
#[derive(Clone, PartialEq)]
pub(super) struct Problem {
    is_error: bool,
    pub(super) what: String,
}

impl Problem {
    #[cfg(feature = "tracing")]
    fn log(&self, limiter: &str) {
        crate::logging::tell(|| {
            if self.is_error {
                tracing::error!(limiter, "{}", self.what);
            } else {
                tracing::warn!(limiter, "{}", self.what);
            }
        });
    }

    #[cfg(not(feature = "tracing"))]
    fn log(&self, _limiter: &str) {
        // The snapshot shows it, without saying how bad it is.
        let _ = self.is_error;
    }
}

impl Entry {
    /// Notes something wrong in the configuration that was worked around; an error, if the user has
    /// asked for something and not got it. Once, however often it happens. To be logged when no lock is
    /// held.
    pub(crate) fn note(&self, is_error: bool, what: String) {
        let problem = Problem { is_error, what };
        let mut control = self.control();
        if !control.problems.contains(&problem) {
            control.problems.push(problem);
        }
    }

    /// Two functions have one default name, of which this limiter is one's. Says whether that is news.
    pub(in crate::limiter) fn shares_name_with(
        &self,
        name: &str,
        one: &'static Location<'static>,
        other: &'static Location<'static>,
    ) -> bool {
        // Always the same, whichever was used first.
        let [first, second] = if one <= other { [one, other] } else { [other, one] };
        let is_news = self.control().same_name.replace([first, second]).is_none();
        if is_news {
            let what = format!(
                "two functions are named `{name}` by default, at {first} and {second}: which of them \
                 has the name, and its settings, depends on which is used first; give each its own, \
                 `name = \"...\"`"
            );
            self.note(false, what);
        }
        is_news
    }

    /// Logs what was noted, once. Foreign code: under no lock of ours.
    pub(in crate::limiter) fn log(&self) {
        let mut control = self.control();
        let known = control.problems.len();
        let from = std::mem::replace(&mut control.logged, known);
        let problems = control.problems[from..].to_vec();
        drop(control);
        for problem in problems {
            problem.log(&self.name);
        }
    }
    /// The places of two functions that are named alike by default, if one of them is this limiter's.
    #[cfg(feature = "config")]
    pub(crate) fn same_name(&self) -> Option<[&'static Location<'static>; 2]> {
        self.control().same_name
    }
}
