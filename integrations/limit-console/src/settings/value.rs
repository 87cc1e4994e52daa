//! Values of settings, in JSON.

use super::body::{refused, repeated, unexpected};
use crate::error::ApiError;
use limit_runtime::settings::{SettingKind, SettingValue, ValueType};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::time::Duration;

/// The word for a time without an end, where the type has one.
const NEVER: &str = "never";

/// Reads a value, if it has the type of the setting and is in its range.
pub(super) fn read(kind: SettingKind, json: &RawValue) -> Result<SettingValue, ApiError> {
    let expected = |expected| unexpected(kind.name(), json, expected);
    match kind.value_type() {
        ValueType::CountOrRange { most } if json.get().starts_with('"') => range(kind, json, most),
        ValueType::Count { most } | ValueType::CountOrRange { most } => {
            // `1e3` and `12.0` are whole numbers too, but hardly what somebody meant to write.
            let count = digits(json.get()).ok_or_else(|| expected(kind.expected()))?;
            // As with the setters: more than there can be is any number.
            if !kind.can_be_unbounded() && count > most {
                return Err(at_most(kind, most));
            }
            Ok(SettingValue::Count(count))
        }
        ValueType::DurationOrNever if json.get() == format!("\"{NEVER}\"") => {
            Ok(SettingValue::Duration(Duration::MAX))
        }
        ValueType::Duration => duration(kind, json, "a number of seconds from 0, such as 0.05"),
        ValueType::DurationOrNever => {
            let words = "a number of seconds above 0, such as 0.05, or \"never\"";
            match duration(kind, json, words)? {
                SettingValue::Duration(Duration::ZERO) => Err(expected(words)),
                value => Ok(value),
            }
        }
        ValueType::Switch => {
            let on = bool::deserialize(json).map_err(|_| expected("`true` or `false`"))?;
            Ok(SettingValue::Switch(on))
        }
        // `limit-runtime` may be newer than this crate.
        other => Err(refused(format!("`{kind}` cannot be set here: it is {other}"))),
    }
}

/// Reads a range such as `"4..=200"`, as a file has it.
fn range(kind: SettingKind, json: &RawValue, most: usize) -> Result<SettingValue, ApiError> {
    let no_range =
        |why: &str| refused(format!("`{kind}`: `{}` is no range: {why}", repeated(json)));
    let expected = || unexpected(kind.name(), json, kind.expected());
    let text = String::deserialize(json).map_err(|_| expected())?;
    let (low, high) = text.split_once("..").ok_or_else(expected)?;
    let high = high.strip_prefix('=');
    let high = high.ok_or_else(|| no_range("write `..=` between the ends, both of which count"))?;
    let [low, high] = [low, high].map(|end| digits(end.trim()).ok_or_else(expected));
    let (low, high) = (low?, high?);
    if low == 0 {
        Err(no_range("the lower end is at least 1"))
    } else if low > high {
        Err(no_range("write the lower end first"))
    } else if high > most {
        Err(at_most(kind, most))
    } else {
        Ok(SettingValue::Range { low, high })
    }
}

/// Reads a number of decimal digits. One with more digits than fit is above every bound.
fn digits(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(usize::MAX))
}

fn at_most(kind: SettingKind, most: usize) -> ApiError {
    refused(format!("`{kind}`: at most {most}"))
}

/// Reads a time. JSON has no spans of time, which [`SettingKind::expected`] asks for.
fn duration(kind: SettingKind, json: &RawValue, expected: &str) -> Result<SettingValue, ApiError> {
    // A number of JSON is one of Rust, and no other value is. With too many digits it is infinite.
    let seconds = json.get().parse::<f64>().ok().filter(|seconds| *seconds >= 0.0);
    let seconds = seconds.ok_or_else(|| unexpected(kind.name(), json, expected))?;
    let duration = Duration::try_from_secs_f64(seconds);
    let longer =
        || refused(format!("`{kind}`: `{}` is more seconds than a time can have", repeated(json)));
    duration.map(SettingValue::Duration).map_err(|_| longer())
}

/// Writes a value so that [`read`] reads it.
pub(super) fn write(kind: SettingKind, value: SettingValue) -> Value {
    /// Fewer seconds than [`Duration::MAX`] has, by little.
    const LONGEST: f64 = 1.8e19;

    match value {
        SettingValue::Count(count) => count.into(),
        SettingValue::Range { .. } => value.to_string().into(),
        SettingValue::Duration(Duration::MAX)
            if kind.value_type() == ValueType::DurationOrNever =>
        {
            NEVER.into()
        }
        SettingValue::Duration(duration) => duration.as_secs_f64().min(LONGEST).into(),
        SettingValue::Switch(on) => on.into(),
        // `limit-runtime` may be newer than this crate: such a value is not given back.
        _ => Value::Null,
    }
}
