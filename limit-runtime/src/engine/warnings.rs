//! Warnings and errors about a limiter's configuration.

use super::Engine;
use super::state::Warning;
use crate::logging;
use std::panic::Location;
use std::sync::{Arc, Once};

impl Engine {
    /// Notes a warning, or an error if a user's setting has no effect. Notes each text once.
    /// [`log`](Self::log) logs it later, when no lock is held.
    pub(crate) fn note(&self, is_error: bool, text: String) {
        let warning = Warning { is_error, text };
        let mut state = self.state();
        if !state.warnings.contains(&warning) {
            state.warnings.push(warning);
        }
    }

    /// Notes a warning about a limit over a fleet. Without a log, tells the first one of the process on stderr.
    pub(super) fn note_of_fleet(&self, text: String) {
        static TOLD: Once = Once::new();
        TOLD.call_once(|| logging::tell_of_fleet(&self.name, &text));
        self.note(false, text);
    }

    /// Logs the warnings that have not been logged. It calls foreign code, so no lock may be held.
    pub(super) fn log(&self) {
        let mut state = self.state();
        let known = state.warnings.len();
        let from = std::mem::replace(&mut state.logged, known);
        let warnings = state.warnings[from..].to_vec();
        drop(state);
        for warning in warnings {
            logging::tell_warning(&self.name, warning.is_error, &warning.text);
        }
    }

    /// Notes that another limiter has the name that this one was made with. Returns the other
    /// limiter if it has a new warning to log.
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

    /// Notes that two functions share a default name. Returns whether this is new.
    fn note_shared_name(
        &self,
        name: &str,
        one: &'static Location<'static>,
        other: &'static Location<'static>,
    ) -> bool {
        // The same order on both limiters, in whichever order they were first used.
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
}
