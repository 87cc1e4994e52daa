//! The configuration that is in force, for limiters to come.

use super::Config;
use crate::limiter::settings::{Source, Values};
use crate::limiter::{Entry, read_limit};
use once_cell::sync::Lazy;
use std::sync::{Arc, Mutex, PoisonError};

static IN_FORCE: Lazy<Mutex<InForce>> = Lazy::new(Mutex::default);

#[derive(Clone, Default)]
struct InForce {
    version: u64,
    config: Arc<Config>,
}

fn in_force() -> InForce {
    IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Puts a configuration in force, for limiters that are first used from now on. Gives its version:
/// what it says of a limiter holds unless a later one has said something.
pub(super) fn put_in_force(config: &Arc<Config>) -> u64 {
    let mut in_force = IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner);
    in_force.version += 1;
    in_force.config = Arc::clone(config);
    in_force.version
}

/// A limiter is used for the first time: it is on the list already, so that a configuration that is
/// put in force meanwhile finds it there.
pub(crate) fn first_used(entry: &Entry) {
    environment(entry);
    let InForce { version, config } = in_force();
    let mut values = config.values(&entry.name);
    while let Err(unsupported) = entry.supports(&values) {
        match unsupported.setting() {
            "max_waiting" => values.max_waiting = None,
            "max_wait" => values.max_wait = None,
            _ => values.shadow = None,
        }
        entry.note(true, unsupported.to_string());
    }
    if values != Values::default() {
        entry.configure(version, values);
    }
}

/// `LIMIT_` and the limiter's name in capitals, with an underscore for whatever is between its words.
pub(super) fn variable(name: &str) -> String {
    let mut variable = String::from("LIMIT");
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        variable.push('_');
        variable.push_str(&word.to_ascii_uppercase());
    }
    variable
}

fn environment(entry: &Entry) {
    match read_limit(&variable(&entry.name)) {
        Ok(None) => {}
        // The variable that the code names is the more deliberate one.
        Ok(Some(limit)) => entry.override_with(Source::Environment, |values| {
            values.limit.get_or_insert(limit);
        }),
        Err(problem) => entry.note(true, format!("{problem}; it is not used")),
    }
}
