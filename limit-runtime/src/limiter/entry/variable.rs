//! Limits from environment variables.

use std::env::VarError;
use std::num::IntErrorKind;

/// The limit that a variable asks for, if it is set, or what is wrong with it.
#[cfg(feature = "config")]
pub(crate) fn read_limit(variable: &str) -> Result<Option<u32>, String> {
    Ok(read_variable(variable)?.map(super::clamp))
}

/// As [`read_limit`], not taken down to the largest.
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
