//! Limits from environment variables.

use std::env::VarError;
use std::num::IntErrorKind;

/// Reads the limit from a variable. Returns `None` if the variable is not set.
///
/// # Errors
///
/// A sentence about the value, if it is not a whole number from 1 up.
pub(super) fn read_variable(variable: &str) -> Result<Option<usize>, String> {
    let value = match std::env::var(variable) {
        Ok(value) => value,
        Err(VarError::NotPresent) => return Ok(None),
        Err(VarError::NotUnicode(value)) => value.to_string_lossy().into_owned(),
    };
    match value.trim().parse::<usize>() {
        Ok(limit) if limit > 0 => Ok(Some(limit)),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Ok(Some(usize::MAX)),
        _ => Err(format!(
            "environment variable `{variable}` is {value:?}, which is not a whole number from 1 up"
        )),
    }
}

/// Returns the variable that overrides the limit of the limiter with this name. It is `LIMIT_` and
/// the name in capitals, with an underscore between words. Returns `None` if the name has no ASCII
/// letter or digit.
pub(super) fn variable_of_name(name: &str) -> Option<String> {
    let mut variable = String::from("LIMIT");
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        variable.push('_');
        variable.push_str(&word.to_ascii_uppercase());
    }
    (variable != "LIMIT").then_some(variable)
}

/// The variable with the address of the store of a fleet, which the crate `limit-fleet` reads.
const FLEET_URL: &str = "LIMIT_FLEET_URL";

/// The beginning of the warning that no fleet was started.
pub(super) const NO_FLEET: &str = "scope is fleet and no fleet was started";

/// Returns the warning that the limit of a limiter with fleet scope holds for this process alone.
pub(super) fn no_fleet() -> String {
    let is_set = std::env::var_os(FLEET_URL).is_some_and(|url| !url.is_empty());
    let although = if is_set { format!(", although {FLEET_URL} is set") } else { String::new() };
    format!(
        "{NO_FLEET}{although}: the limit holds for this process alone; start one with the crate \
         limit-fleet"
    )
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_the_name_in_capitals() {
        let variable = |name| variable_of_name(name).expect("it has letters");
        assert_eq!(variable("payments::charge"), "LIMIT_PAYMENTS_CHARGE");
        assert_eq!(variable("a-b c#2"), "LIMIT_A_B_C_2");
        assert_eq!(variable("::x::"), "LIMIT_X");
    }

    #[test]
    fn a_name_without_letters_that_variables_have_has_none() {
        // Such a name must not read `LIMIT`: all such names would share it.
        assert_eq!(["", "::", "\u{e4}"].map(variable_of_name), [const { None }; 3]);
    }
}
