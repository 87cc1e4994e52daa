//! The limits that single keys have in place of the limit of each.
//!
//! They stand in one table, which all semaphores of a limiter share, so they outlive the states of their keys. A state
//! has a copy of its key's own limit. It is looked up when the key gets its number, and again when the table is
//! replaced. So no call looks in the table for a key that is in use.

use super::name::text;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Stands for the limit of each, for a key without one of its own.
pub(super) const COMMON: u32 = u32::MAX;

/// The name of a key whose own limit is set.
#[derive(Clone)]
pub(crate) enum KeyName {
    /// All keys with this text, of whatever type.
    Text(String),
    /// A key of a type whose keys have no text.
    Value(Arc<dyn KeyValue>),
}

/// A key of any type.
pub(crate) trait KeyValue: Send + Sync {
    fn half_of_hash(&self) -> u32;
    fn key(&self) -> &dyn Any;
    fn is(&self, other: &dyn Any) -> bool;
    /// Returns the type and the hash, as figures show them.
    fn shown(&self) -> String;
}

impl KeyName {
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Value(one), Self::Value(other)) => one.is(other.key()),
            _ => false,
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Value(value) => f.write_str(&value.shown()),
        }
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({self})")
    }
}

/// The keys with limits of their own.
#[derive(Debug, Default)]
pub(crate) struct OwnLimits {
    texts: HashMap<String, u32>,
    /// Those whose types have no text, by the half of their hash that is kept.
    values: HashMap<u32, Vec<(KeyName, u32)>>,
}

impl OwnLimits {
    /// Adds a key that is not there.
    pub(crate) fn add(&mut self, name: &KeyName, limit: u32) {
        match name {
            KeyName::Text(text) => {
                self.texts.insert(text.clone(), limit);
            }
            KeyName::Value(value) => {
                self.values.entry(value.half_of_hash()).or_default().push((name.clone(), limit));
            }
        }
    }

    /// Returns the own limit of a key, or [`COMMON`].
    #[cold]
    pub(super) fn find(&self, hash: u32, key: &dyn Any) -> u32 {
        if let Some(text) = text(key) {
            return self.texts.get(&*text).copied().unwrap_or(COMMON);
        }
        let alike = self.values.get(&hash).into_iter().flatten();
        let is_it = |name: &KeyName| matches!(name, KeyName::Value(value) if value.is(key));
        alike.into_iter().find(|(name, _)| is_it(name)).map_or(COMMON, |&(_, limit)| limit)
    }
}
