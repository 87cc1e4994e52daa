//! What a configuration says of one name.

use crate::limiter::settings::Values;
use crate::policy::MAX_LIMIT;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Tables by name. A name that is there twice is an error: which of them was meant?
pub(super) fn tables<'de, D>(deserializer: D) -> Result<BTreeMap<String, Table>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(TablesVisitor)
}

struct TablesVisitor;

impl<'de> Visitor<'de> for TablesVisitor {
    type Value = BTreeMap<String, Table>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tables of settings by limiter name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut tables = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if tables.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate name `{name}`")));
            }
            tables.insert(name, map.next_value()?);
        }
        Ok(tables)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) values: Values,
}

/// As it is written.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    limit: Option<Limit>,
    max_waiting: Option<MaxWaiting>,
    max_wait: Option<Span>,
    enabled: Option<bool>,
    shadow: Option<bool>,
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TableVisitor)
    }
}

/// Reads what is written, by name only: settings in a row say nothing of which they are.
struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Table;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of settings, such as `limit`")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Table, A::Error> {
        let Written { limit, max_waiting, max_wait, enabled, shadow } =
            Written::deserialize(MapAccessDeserializer::new(map))?;
        let contradiction = |what| Err(A::Error::custom(what));
        if max_waiting.as_ref().is_some_and(|most| most.0 == 0) && max_wait.is_some() {
            return contradiction(
                "`max_wait` cannot stand beside `max_waiting = 0`: no call ever waits, so none can \
                 time out; leave one of the two out",
            );
        }
        if enabled == Some(false) && shadow == Some(true) {
            return contradiction(
                "`shadow` cannot stand beside `enabled = false`: a limit that does not hold has no \
                 shadow; leave one of the two out",
            );
        }
        let values = Values {
            limit: limit.map(|limit| limit.0),
            max_waiting: max_waiting.map(|most| most.0),
            max_wait: max_wait.map(|span| span.0),
            enabled,
            shadow,
        };
        Ok(Table { values })
    }
}

impl Table {
    /// What is there overrides what the other has.
    pub(super) fn override_in(&self, values: &mut Values) {
        self.values.override_in(values);
    }
}

/// How many permits.
struct Limit(u32);

/// How many calls.
struct MaxWaiting(u32);

/// A span of time, such as `50ms`.
struct Span(Duration);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "a whole number from 0 (which pauses) to 2147483647";
        deserializer.deserialize_u64(Whole { what, most: MAX_LIMIT }).map(Self)
    }
}

impl<'de> Deserialize<'de> for MaxWaiting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // One less than what stands for no bound.
        let what = "a whole number of calls, from 0 (nobody waits) to 4294967294";
        deserializer.deserialize_u64(Whole { what, most: u32::MAX - 1 }).map(Self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SpanVisitor).map(Self)
    }
}

/// Reads whole numbers up to `most`.
struct Whole {
    what: &'static str,
    most: u32,
}

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u32, E> {
        let number = u64::try_from(value);
        number
            .map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
            .and_then(|value| self.visit_u64(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u32, E> {
        let number = u32::try_from(value).ok().filter(|number| *number <= self.most);
        number.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span of time with its unit, such as \"50ms\" or \"1m 30s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        humantime::parse_duration(text).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}
