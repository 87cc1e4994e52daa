//! What is wrong in a limiter's configuration.

use super::Engine;
use super::warning::Warning;
use std::panic::Location;
use std::sync::Arc;

impl Engine {
    /// Notes a warning, or an error if the user has asked for something and not got it. Once, however often it
    /// happens. [`log`](Self::log) logs it, when no lock is held.
    pub(crate) fn note(&self, is_error: bool, text: String) {
        let warning = Warning { is_error, text };
        let mut state = self.state();
        if !state.warnings.contains(&warning) {
            state.warnings.push(warning);
        }
    }

    /// Logs the warnings that were noted and not logged yet. Calls foreign code: under no lock.
    pub(super) fn log(&self) {
        let mut state = self.state();
        let known = state.warnings.len();
        let from = std::mem::replace(&mut state.logged, known);
        let warnings = state.warnings[from..].to_vec();
        drop(state);
        for warning in warnings {
            warning.log(&self.name);
        }
    }

    /// Notes that another limiter has the name that this one was made with. Gives the other one if it has
    /// something new to log, too.
    pub(super) fn note_namesake(&self, wanted: &str, first: &Arc<Self>) -> Option<Arc<Self>> {
        let (Some(one), Some(other)) = (first.definition.function, self.definition.function) else {
            let name = &self.name;
            self.note(false, format!("another limiter is named `{wanted}`; this one is `{name}`"));
            return None;
        };
        let is_news = first.note_shared_name(wanted, one, other);
        self.note_shared_name(wanted, one, other);
        is_news.then(|| Arc::clone(first))
    }

    /// Notes that two functions have one default name. Returns whether that is news.
    fn note_shared_name(
        &self,
        name: &str,
        one: &'static Location<'static>,
        other: &'static Location<'static>,
    ) -> bool {
        // Always in the same order, whichever was used first.
        let [first, second] = if one <= other { [one, other] } else { [other, one] };
        let is_news = self.state().namesakes.replace([first, second]).is_none();
        if is_news {
            let text = format!(
                "two functions are named `{name}` by default, at {first} and {second}: which of them \
                 has the name, and its settings, depends on which is used first; give each its own, \
                 `name = \"...\"`"
            );
            self.note(false, text);
        }
        is_news
    }

    /// The two functions that have one default name, if this limiter is of one of them.
    pub(crate) fn namesakes(&self) -> Option<[&'static Location<'static>; 2]> {
        self.state().namesakes
    }
}
