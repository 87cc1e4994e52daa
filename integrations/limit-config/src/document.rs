//! Reads TOML, with the position of each setting.

use crate::error::ConfigError;
use crate::key_limits::{KEY, setting_of};
use crate::position::Position;
use crate::tables::Tables;
use crate::value::wrong_value;
use limit_runtime::settings::SettingKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue, Deserializer, Error};

/// The position of each setting, by the names of its table and of the setting.
pub(crate) type Positions = BTreeMap<(String, String), Position>;

/// Reads the tables of a TOML document, and the positions of their settings.
///
/// # Errors
///
/// If the text is not TOML, or a table is wrong.
pub(crate) fn read(text: &str) -> Result<(Tables, Positions), ConfigError> {
    let document = DeTable::parse(text).map_err(|error| parse_error(&error, text))?;
    let mut positions = Positions::new();
    for (name, table) in document.get_ref() {
        let DeValue::Table(table) = table.get_ref() else { continue };
        for (setting, value) in table {
            if let Some(message) = too_long(setting.get_ref(), value.get_ref()) {
                let position = Position::locate(value.span().start, text);
                return Err(ConfigError::parse(message).at(Some(position)));
            }
            let mut add = |setting: String, start: usize| {
                let name = name.get_ref().to_string();
                positions.insert((name, setting), Position::locate(start, text));
            };
            add(setting.get_ref().to_string(), setting.span().start);
            if let (KEY, DeValue::Table(limits)) = (&**setting.get_ref(), value.get_ref()) {
                limits.keys().for_each(|key| add(setting_of(key.get_ref()), key.span().start));
            }
        }
    }
    let tables = Tables::deserialize(Deserializer::from(document));
    Ok((tables.map_err(|error| parse_error(&error, text))?, positions))
}

/// Returns what is wrong with a number that has more digits than the parser hands on.
fn too_long(setting: &str, value: &DeValue<'_>) -> Option<String> {
    let (DeValue::Integer(number), Some(kind)) = (value, SettingKind::from_name(setting)) else {
        return None;
    };
    let is_too_long = i128::from_str_radix(number.as_str(), number.radix()).is_err();
    is_too_long.then(|| wrong_value(kind, number))
}

fn parse_error(error: &Error, text: &str) -> ConfigError {
    let position = error.span().map(|span| Position::locate(span.start, text));
    let line = position.and_then(|position| text.lines().nth(position.line - 1));
    let message = error.message();
    let error = match line.and_then(unquoted_name) {
        Some(name) => ConfigError::parse(format_args!("{message}; {}", with_quotes(name))),
        None => ConfigError::parse(message),
    };
    error.at(position)
}

/// Returns the name in a table's header that lacks its quotes, such as `[a::b]`.
fn unquoted_name(line: &str) -> Option<&str> {
    let (name, _) =
        line.trim_start_matches('\u{feff}').trim_start().strip_prefix('[')?.split_once(']')?;
    let is_bare = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    let needs_quotes = !name.contains(['"', '\'', '[']) && !name.chars().all(is_bare);
    needs_quotes.then_some(name.trim())
}

/// Says how a name is written in a table's header. The path of a function may have been written with dots.
fn with_quotes(name: &str) -> String {
    let hint = format!("write the name in quotes: `[\"{name}\"]`");
    let segments: Vec<_> = name.split('.').map(str::trim).collect();
    if segments.len() == 1 || segments.contains(&"") {
        return hint;
    }
    let path = segments.join("::");
    format!("{hint} (a function's name has `::`: `[\"{path}\"]`)")
}
