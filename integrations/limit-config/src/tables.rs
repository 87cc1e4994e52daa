//! Reads the tables of a configuration from any format that serde reads.
//!
//! [`SettingKind::ALL`] is the list of the settings that a table may have, and the [`ValueType`] of a setting
//! decides how its value is read. So a new setting of limit-runtime needs no change here.

use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, ValueType};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

/// The names of all settings, for the error about an unknown one.
static SETTINGS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| SettingKind::ALL.iter().map(|kind| kind.name()).collect());

/// The options of the attribute that are no settings. A test compares them with the macro's own list.
const IN_CODE: [&str; 17] = [
    "blocking",
    "crate",
    "env",
    "key",
    "limiter",
    "name",
    "on_deadlock",
    "on_lease_lost",
    "on_reject",
    "on_unavailable",
    "order",
    "per",
    "permit",
    "priority",
    "scope",
    "total",
    "weight",
];

/// The values of each table, by the table's name.
#[derive(Debug, Default)]
pub(crate) struct Tables(pub(crate) BTreeMap<String, SettingValues>);

impl<'de> Deserialize<'de> for Tables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TablesVisitor)
    }
}

struct TablesVisitor;

impl<'de> Visitor<'de> for TablesVisitor {
    type Value = Tables;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tables of settings by limiter name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tables, A::Error> {
        let mut tables = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            // TOML refuses this itself. Other formats would keep one of the two without a word.
            if tables.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate name `{name}`")));
            }
            let values = map.next_value_seed(TableSeed { name: &name })?;
            tables.insert(name, values);
        }
        Ok(Tables(tables))
    }
}

/// Reads one table. It reads a map only: a sequence of values would not say which settings they are for.
struct TableSeed<'a> {
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for TableSeed<'_> {
    type Value = SettingValues;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<SettingValues, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TableSeed<'_> {
    type Value = SettingValues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings, such as `limit`")?;
        if SettingKind::from_name(self.name).is_some() {
            let name = self.name;
            write!(
                f,
                "; `{name}` is a setting: it belongs in a limiter's table, such as `[\"name\"]`"
            )?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SettingValues, A::Error> {
        let (mut values, mut read) = (SettingValues::default(), Vec::new());
        while let Some(kind) = map.next_key_seed(KindSeed)? {
            if read.contains(&kind) {
                return Err(A::Error::duplicate_field(kind.name()));
            }
            read.push(kind);
            if let Some(value) = map.next_value_seed(ValueSeed { kind })? {
                values.set(kind, value).map_err(A::Error::custom)?;
            }
        }
        match contradiction(&values) {
            Some(contradiction) => Err(A::Error::custom(contradiction)),
            None => Ok(values),
        }
    }
}

/// Finds two settings of one table that contradict each other.
fn contradiction(values: &SettingValues) -> Option<&'static str> {
    let is = |kind, value| values.get(kind) == Some(value);
    let has_max_wait = values.get(SettingKind::MaxWait).is_some();
    if is(SettingKind::MaxWaiting, SettingValue::Count(0)) && has_max_wait {
        Some(
            "`max_wait` cannot stand beside `max_waiting = 0`: no call ever waits, so none can time \
             out; leave one of the two out",
        )
    } else if is(SettingKind::Enabled, SettingValue::Switch(false))
        && is(SettingKind::Shadow, SettingValue::Switch(true))
    {
        Some(
            "`shadow` cannot stand beside `enabled = false`: a limit that does not hold has no shadow; \
             leave one of the two out",
        )
    } else {
        None
    }
}

/// Reads the name of a setting. The error about an unknown name comes from here, so that it has the position
/// of the name.
struct KindSeed;

impl<'de> DeserializeSeed<'de> for KindSeed {
    type Value = SettingKind;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<SettingKind, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KindSeed {
    type Value = SettingKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a setting")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<SettingKind, E> {
        SettingKind::from_name(name).ok_or_else(|| {
            if IN_CODE.contains(&name) {
                E::custom(format_args!("`{name}` cannot be in a file: it is set in the code"))
            } else {
                E::unknown_field(name, &SETTINGS)
            }
        })
    }
}

/// Reads the value of a setting. `null` is as good as no value, in the formats that have it.
struct ValueSeed {
    kind: SettingKind,
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
        let expected = self.kind.expected();
        let value = match self.kind.value_type() {
            ValueType::Count { most } => deserializer
                .deserialize_u64(CountVisitor { expected, most })
                .map(SettingValue::Count),
            ValueType::Duration => deserializer
                .deserialize_str(DurationVisitor { expected })
                .map(SettingValue::Duration),
            ValueType::DurationOrNever => deserializer
                .deserialize_str(DurationOrNeverVisitor { expected })
                .map(SettingValue::Duration),
            ValueType::Switch => bool::deserialize(deserializer).map(SettingValue::Switch),
            // `limit-config` is older than the type. `every_setting_that_there_is_can_be_in_a_file` fails then.
            _ => Err(D::Error::custom(format_args!("`{}` cannot be read from a file", self.kind))),
        };
        value.map(Some)
    }
}

/// Reads whole numbers up to `most`.
struct CountVisitor {
    expected: &'static str,
    most: usize,
}

impl Visitor<'_> for CountVisitor {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<usize, E> {
        match u64::try_from(value) {
            Ok(value) => self.visit_u64(value),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(value), &self)),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<usize, E> {
        let count = usize::try_from(value).ok().filter(|count| *count <= self.most);
        count.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

/// Reads spans of time, such as `50ms`.
struct DurationVisitor {
    expected: &'static str,
}

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        humantime::parse_duration(text).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Reads spans of time above zero, such as `50ms`, and `never`.
struct DurationOrNeverVisitor {
    expected: &'static str,
}

impl Visitor<'_> for DurationOrNeverVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        if text == "never" {
            return Ok(Duration::MAX);
        }
        let duration = humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero());
        duration.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
