//! The shares to which calls belong.

use super::core::Core;
use crate::keying::InShare;
use crate::share::REST;
use std::mem;

impl Core {
    /// Returns the share with a name, or the rest.
    pub(crate) fn share(&self, name: &str) -> InShare {
        let shares = self.definition.shares;
        let number = shares.iter().position(|share| share.name == name);
        if number.is_none() && name != REST {
            self.note_unknown_share(name);
        }
        InShare::new(number.unwrap_or(shares.len()))
    }

    /// Notes the first name that no share has. There may be any number of them, because requests can bring them.
    #[cold]
    fn note_unknown_share(&self, name: &str) {
        let engine = self.engine();
        if mem::replace(&mut engine.state().has_unknown_share, true) {
            return;
        }
        // A request may have brought it: it is not to fill a log, or to look like another line of it.
        let name: String = name.chars().take(40).flat_map(char::escape_debug).collect();
        let names = self.definition.shares.iter().map(|share| format!("`{}`", share.name));
        let names = names.collect::<Vec<_>>().join(", ");
        let known = if names.is_empty() {
            String::from("there are none")
        } else {
            format!("there are {names}")
        };
        engine.note(
            false,
            format!("a call belongs to the share `{name}`, which the limiter does not have ({known}): it is one of the rest"),
        );
        engine.log();
    }
}
