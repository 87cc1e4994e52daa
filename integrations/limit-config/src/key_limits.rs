//! Reads the limits of single keys: a table beside the settings of a limiter.

use limit_runtime::Limiter;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// The name of the table in that of a limiter.
pub(crate) const KEY: &str = "key";

/// Returns the name of a key's limit in messages.
pub(crate) fn setting_of(key: &str) -> String {
    format!("{KEY}.{key:?}")
}

/// Reads the limits by the texts of the keys.
pub(crate) struct KeyLimitsSeed;

impl KeyLimitsSeed {
    /// The attribute has an option of this name, which is no table.
    fn wrong<T, E: Error>(found: impl fmt::Display) -> Result<T, E> {
        Err(E::custom(format_args!(
            "`{KEY}` is {found}: the option `{KEY}` is set in the code, and a table `{KEY}` has limits of single keys, such \
             as `{KEY}.\"acme\" = 10`"
        )))
    }
}

impl<'de> DeserializeSeed<'de> for KeyLimitsSeed {
    type Value = BTreeMap<String, usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeyLimitsSeed {
    type Value = BTreeMap<String, usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of limits by key")
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<Self::Value, E> {
        Self::wrong(on)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Self::wrong(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Self::wrong(number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Self::wrong(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Self::wrong(format_args!("{text:?}"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Self::wrong("a list")
    }

    /// `null` is as good as no table, in the formats that have it.
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut limits = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if limits.contains_key(&key) {
                return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
            }
            if let Some(limit) = map.next_value_seed(LimitSeed { key: &key })? {
                limits.insert(key, limit);
            }
        }
        Ok(limits)
    }
}

/// Reads the limit of a key. `null` is as good as no value.
struct LimitSeed<'a> {
    key: &'a str,
}

impl LimitSeed<'_> {
    fn wrong<T, E: Error>(&self, found: impl fmt::Display) -> Result<T, E> {
        Err(E::custom(format_args!(
            "`{}` is {found}: write a whole number from 0 (which pauses the key) to {}",
            setting_of(self.key),
            Limiter::MAX_LIMIT
        )))
    }

    fn read<E: Error>(
        &self,
        number: Option<u64>,
        found: impl fmt::Display,
    ) -> Result<Option<usize>, E> {
        let limit = number.and_then(|number| usize::try_from(number).ok());
        match limit.filter(|limit| *limit <= Limiter::MAX_LIMIT) {
            Some(limit) => Ok(Some(limit)),
            None => self.wrong(found),
        }
    }
}

impl<'de> DeserializeSeed<'de> for LimitSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for LimitSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the limit of a key")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<Self::Value, E> {
        self.wrong(on)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        self.read(u64::try_from(number).ok(), number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        self.read(Some(number), number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        // With a digit after the point, so that `1e3` is seen to be no whole number.
        self.wrong(format_args!("{number:?}"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.wrong(format_args!("{text:?}"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        self.wrong("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        self.wrong("a table or a date")
    }
}
