//! Reads the values of settings.
//!
//! The [`ValueType`] of a setting decides how its value is read. The messages are in words of this crate: a format's own
//! words say what its parser found, and not what to write.

use limit_runtime::settings::{SettingKind, SettingValue, ValueType};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::time::Duration;

/// Reads the value of a setting. `null` is as good as no value, in the formats that have it.
pub(crate) struct ValueSeed {
    pub(crate) kind: SettingKind,
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Option<SettingValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Option<SettingValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.expected())
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // The value itself decides its type, and no parser converts it: so the message is this crate's in any format.
        deserializer.deserialize_any(ValueVisitor { kind: self.kind }).map(Some)
    }
}

/// Says that a value is something else than the setting can have, and what to write.
pub(crate) fn wrong_value(kind: SettingKind, found: impl fmt::Display) -> String {
    let expected = match kind.value_type() {
        ValueType::Switch => "`true` or `false`",
        _ => kind.expected(),
    };
    format!("`{kind}` is {found}: write {expected}")
}

/// Reads a value that is there.
struct ValueVisitor {
    kind: SettingKind,
}

impl ValueVisitor {
    /// The value is something else than the setting can have.
    fn wrong<T, E: Error>(&self, found: impl fmt::Display) -> Result<T, E> {
        Err(E::custom(wrong_value(self.kind, found)))
    }

    /// Reads a whole number, if the setting can have it. `found` is the number as it is written.
    fn count<E: Error>(
        &self,
        number: Option<u64>,
        found: impl fmt::Display,
    ) -> Result<SettingValue, E> {
        let (ValueType::Count { most } | ValueType::CountOrRange { most }) = self.kind.value_type()
        else {
            return self.wrong(format_args!("the number {found}"));
        };
        let count = number.and_then(|number| usize::try_from(number).ok());
        match count.filter(|count| *count <= most) {
            Some(count) => Ok(SettingValue::Count(count)),
            None => self.wrong(found),
        }
    }

    /// Reads a range, such as `4..=200`.
    fn range<E: Error>(&self, text: &str, most: usize) -> Result<SettingValue, E> {
        let no_range = |why: &str| Err(E::custom(format_args!("`{text}` is no range: {why}")));
        let Some((low, high)) = text.split_once("..") else { return self.no_number(text) };
        let Some(high) = high.strip_prefix('=') else {
            return no_range("write `..=` between the ends, both of which count");
        };
        match (low.trim().parse::<usize>(), high.trim().parse::<usize>()) {
            (Ok(0), Ok(_)) => no_range("the lower end is at least 1"),
            (Ok(low), Ok(high)) if low > high => no_range("write the lower end first"),
            (Ok(low), Ok(high)) if high <= most => Ok(SettingValue::Range { low, high }),
            _ => self.wrong(format_args!("{text:?}")),
        }
    }

    /// A text stands where a number should.
    fn no_number<E: Error>(&self, text: &str) -> Result<SettingValue, E> {
        match text.trim().parse::<i128>() {
            Ok(number) => self.wrong(format_args!("the text {text:?} and not the number {number}")),
            Err(_) => self.wrong(format_args!("{text:?}")),
        }
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = SettingValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.expected())
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<SettingValue, E> {
        match self.kind.value_type() {
            ValueType::Switch => Ok(SettingValue::Switch(on)),
            _ => self.wrong(on),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<SettingValue, E> {
        self.count(u64::try_from(number).ok(), number)
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<SettingValue, E> {
        self.count(u64::try_from(number).ok(), number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<SettingValue, E> {
        self.count(Some(number), number)
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<SettingValue, E> {
        self.count(u64::try_from(number).ok(), number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<SettingValue, E> {
        // With a digit after the point, so that `1e3` is seen to be no whole number.
        self.count(None, format_args!("{number:?}"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SettingValue, E> {
        let duration = match self.kind.value_type() {
            ValueType::CountOrRange { most } => return self.range(text, most),
            ValueType::Count { .. } => return self.no_number(text),
            ValueType::DurationOrNever if text == "never" => Some(Duration::MAX),
            ValueType::DurationOrNever => {
                humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero())
            }
            ValueType::Duration => humantime::parse_duration(text).ok(),
            ValueType::Switch => None,
            // `limit-config` is older than the type. `every_setting_that_there_is_can_be_in_a_file` fails then.
            _ => return Err(E::custom(format_args!("`{}` cannot be read from a file", self.kind))),
        };
        match duration {
            Some(duration) => Ok(SettingValue::Duration(duration)),
            None => self.wrong(format_args!("{text:?}")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<SettingValue, A::Error> {
        self.wrong("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<SettingValue, A::Error> {
        self.wrong("a table or a date")
    }
}
