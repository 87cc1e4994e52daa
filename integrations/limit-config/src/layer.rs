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
///
/// `named` is the variable that the code names, which has been read already.
pub(crate) fn first_used(entry: &Entry, named: Option<&str>) {
    if let Some(variable) = variable(&entry.name).filter(|variable| Some(&**variable) != named) {
        environment(entry, &variable);
    }
    let InForce { version, config } = in_force();
    let values = what_fits(entry, config.values(&entry.name));
    if values != Values::default() {
        entry.configure(version, values);
    }
}

/// What can be set for that limiter. It is told of the rest.
pub(super) fn what_fits(entry: &Entry, mut values: Values) -> Values {
    while let Err(unsupported) = entry.supports(&values) {
        match unsupported.setting() {
            "max_waiting" => values.max_waiting = None,
            "max_wait" => values.max_wait = None,
            _ => values.shadow = None,
        }
        entry.note(true, unsupported.to_string());
    }
    values
}

/// `LIMIT_` and the limiter's name in capitals, with an underscore for whatever is between its words.
/// None, if it has no letter or digit of ASCII: `LIMIT` alone is nobody's.
pub(super) fn variable(name: &str) -> Option<String> {
    let mut variable = String::from("LIMIT");
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        variable.push('_');
        variable.push_str(&word.to_ascii_uppercase());
    }
    (variable != "LIMIT").then_some(variable)
}

fn environment(entry: &Entry, variable: &str) {
    match read_limit(variable) {
        Ok(None) => {}
        // The variable that the code names is the more deliberate one.
        Ok(Some(limit)) => entry.override_with(Source::Environment, |values| {
            values.limit.get_or_insert(limit);
        }),
        Err(problem) => entry.note(true, format!("{problem}; it is not used")),
    }
}
