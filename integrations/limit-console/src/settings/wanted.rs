//! The changes that a request wants.

use crate::error::ApiError;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, StatusCode};
use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, ValueType};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

/// The changes that a request wants. In JSON it is an object with a field for each [`SettingKind`], beside the
/// fields here.
pub(crate) struct Wanted {
    pub(super) name: String,
    by: Option<String>,
    /// The values as they stand in JSON, not yet checked.
    settings: BTreeMap<SettingKind, Value>,
    pub(super) paused: Option<bool>,
    pub(super) reset: bool,
}

impl Wanted {
    /// Returns the values that are to be set.
    pub(super) fn values(&self) -> Result<SettingValues, ApiError> {
        let mut values = SettingValues::default();
        for (kind, value) in &self.settings {
            let value = check(*kind, value)?;
            values.set(*kind, value).map_err(|error| unprocessable(error.to_string()))?;
        }
        let is_set = |kind| self.settings.contains_key(&kind);
        if self.reset && (!self.settings.is_empty() || self.paused.is_some()) {
            return Err(unprocessable("`reset` takes all back, and goes with no other setting"));
        }
        if is_set(SettingKind::Limit) && self.paused.is_some() {
            return Err(unprocessable("`paused` is about the limit: it does not go with `limit`"));
        }
        if self.settings.is_empty() && !self.reset && self.paused.is_none() {
            let settings = SettingKind::ALL.iter().map(|kind| format!("`{kind}`, "));
            let all = settings.collect::<String>() + "`paused` or `reset`";
            return Err(unprocessable(format!("nothing is to be changed: give one of {all}")));
        }
        Ok(values)
    }

    /// Returns the author: the name that the request gives, and the address if that is known.
    pub(super) fn author(&self, extensions: &Extensions) -> Result<String, ApiError> {
        const LONGEST: usize = 64;
        let by = self.by.as_deref().map(str::trim).filter(|by| !by.is_empty());
        if by.is_some_and(|by| by.chars().count() > LONGEST || by.chars().any(is_no_text)) {
            return Err(unprocessable(format!("`by`: at most {LONGEST} characters, in one line")));
        }
        let from = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
        Ok(match (by, from) {
            (Some(by), Some(from)) => format!("{by} ({from})"),
            (Some(by), None) => by.to_owned(),
            (None, Some(from)) => format!("console ({from})"),
            (None, None) => "console".to_owned(),
        })
    }
}

/// Converts a value, if it has the type of the setting and is in its range.
fn check(kind: SettingKind, value: &Value) -> Result<SettingValue, ApiError> {
    let wrong_type = |expected| unprocessable(format!("`{kind}`: `{value}`, expected {expected}"));
    match kind.value_type() {
        ValueType::Count { most } => {
            let count = value.as_u64().ok_or_else(|| wrong_type(kind.expected()))?;
            // As with the setters: more than there can be is any number.
            if !kind.can_be_unbounded() && count > most as u64 {
                return Err(unprocessable(format!("`{kind}`: at most {most}")));
            }
            Ok(SettingValue::Count(usize::try_from(count).unwrap_or(usize::MAX)))
        }
        ValueType::DurationOrNever if value == "never" => Ok(SettingValue::Duration(Duration::MAX)),
        ValueType::Duration | ValueType::DurationOrNever => {
            // JSON has no spans of time, which `SettingKind::expected` asks for.
            let seconds = value.as_f64();
            let seconds = seconds.ok_or_else(|| match kind.value_type() {
                ValueType::DurationOrNever => {
                    wrong_type("a number of seconds above 0, such as 0.05, or \"never\"")
                }
                _ => wrong_type("a number of seconds, such as 0.05"),
            })?;
            let duration = Duration::try_from_secs_f64(seconds);
            let duration = duration
                .map_err(|error| unprocessable(format!("`{kind}`, in seconds: {error}")))?;
            Ok(SettingValue::Duration(duration))
        }
        ValueType::Switch => {
            let on = value.as_bool().ok_or_else(|| wrong_type(kind.expected()))?;
            Ok(SettingValue::Switch(on))
        }
        // `limit-runtime` may be newer than this crate.
        other => Err(unprocessable(format!("`{kind}` cannot be set here: it is {other}"))),
    }
}

fn unprocessable(text: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, text)
}

/// Returns whether a character ends a line, or changes the order in which a text is read.
fn is_no_text(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A field of the JSON object.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    Name,
    By,
    Setting(SettingKind),
    Paused,
    Reset,
}

impl Field {
    /// Lists all fields.
    fn all() -> impl Iterator<Item = Self> {
        let settings = SettingKind::ALL.iter().copied().map(Self::Setting);
        [Self::Name, Self::By].into_iter().chain(settings).chain([Self::Paused, Self::Reset])
    }

    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::By => "by",
            Self::Setting(kind) => kind.name(),
            Self::Paused => "paused",
            Self::Reset => "reset",
        }
    }
}

/// The names of all fields, for the error that a field is unknown.
static FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| Field::all().map(Field::name).collect());

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;

        impl Visitor<'_> for FieldVisitor {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("field identifier")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
                let field = Field::all().find(|field| field.name() == name);
                field.ok_or_else(|| E::unknown_field(name, &FIELDS))
            }
        }

        deserializer.deserialize_identifier(FieldVisitor)
    }
}

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WantedVisitor;

        impl<'de> Visitor<'de> for WantedVisitor {
            type Value = Wanted;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("struct Wanted")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wanted, A::Error> {
                let (mut name, mut by, mut paused, mut reset) = (None, None, None, false);
                let mut settings = BTreeMap::new();
                let mut seen: Vec<Field> = Vec::new();
                while let Some(field) = map.next_key()? {
                    if seen.contains(&field) {
                        return Err(A::Error::duplicate_field(field.name()));
                    }
                    seen.push(field);
                    match field {
                        Field::Name => name = Some(map.next_value()?),
                        Field::By => by = map.next_value()?,
                        Field::Setting(kind) => {
                            // `null` stands for no value.
                            if let Some(value) = map.next_value()? {
                                settings.insert(kind, value);
                            }
                        }
                        Field::Paused => paused = map.next_value()?,
                        Field::Reset => reset = map.next_value()?,
                    }
                }
                let name = name.ok_or_else(|| A::Error::missing_field("name"))?;
                Ok(Wanted { name, by, settings, paused, reset })
            }
        }

        deserializer.deserialize_struct("Wanted", &FIELDS, WantedVisitor)
    }
}
