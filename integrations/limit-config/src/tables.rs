//! Reads the tables of a configuration from any format that serde reads.
//!
//! [`SettingKind::ALL`] is the list of the settings that a table may have, so a new setting of limit-runtime needs no
//! change here.

use crate::key_limits::{KEY, KeyLimitsSeed};
use crate::value::ValueSeed;
use limit_runtime::settings::{SettingKind, SettingValue, SettingValues};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// The names of all settings, for the error about an unknown one.
static SETTINGS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| SettingKind::ALL.iter().map(|kind| kind.name()).collect());

/// The options of the attribute that are no settings. A test compares them with the macro's own list.
const IN_CODE: [&str; 25] = [
    "adapt",
    "blocking",
    "crate",
    "early",
    "env",
    "favor",
    "key_weight",
    "limiter",
    "name",
    "on_deadlock",
    "on_lease_lost",
    "on_reject",
    "on_unavailable",
    "order",
    "overload",
    "per",
    "permit",
    "priority",
    "ramp",
    "scope",
    "share",
    "shares",
    "start",
    "total",
    "weight",
];

/// The tables, by name.
#[derive(Debug, Default)]
pub(crate) struct Tables(pub(crate) BTreeMap<String, Table>);

/// The values of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) values: SettingValues,
    /// The limits of single keys, by their texts.
    pub(crate) key_limits: BTreeMap<String, usize>,
}

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
    type Value = Table;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Table, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TableSeed<'_> {
    type Value = Table;

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

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
        let (mut values, mut key_limits, mut read) = (SettingValues::default(), None, Vec::new());
        while let Some(entry) = map.next_key_seed(EntrySeed)? {
            let kind = match entry {
                Entry::Setting(kind) if !read.contains(&kind) => kind,
                Entry::KeyLimits if key_limits.is_none() => {
                    key_limits = Some(map.next_value_seed(KeyLimitsSeed)?);
                    continue;
                }
                Entry::Setting(kind) => return Err(A::Error::duplicate_field(kind.name())),
                Entry::KeyLimits => return Err(A::Error::duplicate_field(KEY)),
            };
            read.push(kind);
            if let Some(value) = map.next_value_seed(ValueSeed { kind })? {
                values.set(kind, value).map_err(A::Error::custom)?;
            }
        }
        match contradiction(&values) {
            Some(contradiction) => Err(A::Error::custom(contradiction)),
            None => Ok(Table { values, key_limits: key_limits.unwrap_or_default() }),
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

/// The name of something in a table.
enum Entry {
    Setting(SettingKind),
    /// The table of the limits of single keys.
    KeyLimits,
}

/// Reads the name of a setting. The error about an unknown name comes from here, so that it has the position
/// of the name.
struct EntrySeed;

impl<'de> DeserializeSeed<'de> for EntrySeed {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for EntrySeed {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a setting")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Entry, E> {
        if name == KEY {
            return Ok(Entry::KeyLimits);
        }
        SettingKind::from_name(name).map(Entry::Setting).ok_or_else(|| {
            if IN_CODE.contains(&name) {
                E::custom(format_args!("`{name}` cannot be in a file: it is set in the code"))
            } else {
                E::unknown_field(name, &SETTINGS)
            }
        })
    }
}
