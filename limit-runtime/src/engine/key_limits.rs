//! The limits that single keys have in place of the limit of each.

use crate::semaphore::{KeyName, OwnLimits};
use crate::setting::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

/// The limits of single keys, by source.
#[derive(Debug, Default)]
pub(super) struct KeyLimits {
    /// Those of the settings source, which names keys by their text.
    pub(super) file: BTreeMap<String, u32>,
    pub(super) live: Vec<(KeyName, u32)>,
    /// The table that the semaphores have. `None` if it is empty.
    in_force: Option<Arc<OwnLimits>>,
}

/// A change of the table: what is to be in force, and what was.
pub(super) struct TableChange {
    pub(super) table: Option<Arc<OwnLimits>>,
    /// It may contain users' keys, so it is dropped under no lock.
    _former: Option<Arc<OwnLimits>>,
}

impl KeyLimits {
    pub(super) fn in_force(&self) -> Option<Arc<OwnLimits>> {
        self.in_force.clone()
    }

    /// Lists the limits in force: those that were set while running, and those of the source that these do not override.
    pub(super) fn all(&self) -> impl Iterator<Item = (KeyName, u32, Source)> + '_ {
        let live = self.live.iter().map(|(name, limit)| (name.clone(), *limit, Source::Live));
        let file = self.file.iter().map(|(text, limit)| (KeyName::Text(text.clone()), *limit));
        let is_weaker = |name: &KeyName| !self.live.iter().any(|(live, _)| live.is(name));
        let file = file.filter(move |(name, _)| is_weaker(name));
        live.chain(file.map(|(name, limit)| (name, limit, Source::File)))
    }

    pub(super) fn set_live(&mut self, name: &KeyName, limit: Option<u32>) {
        let known = self.live.iter().position(|(live, _)| live.is(name));
        match (known, limit) {
            (Some(index), Some(limit)) => self.live[index].1 = limit,
            (Some(index), None) => drop(self.live.remove(index)),
            (None, Some(limit)) => self.live.push((name.clone(), limit)),
            (None, None) => {}
        }
    }

    /// Returns the limits in force by the keys' names.
    pub(super) fn by_name(&self) -> BTreeMap<String, u32> {
        self.all().map(|(name, limit, _)| (name.to_string(), limit)).collect()
    }

    /// Makes the table anew. Returns the change, and the number of keys whose limit is another than before. `None` if
    /// nothing has changed.
    pub(super) fn renew(&mut self, before: &BTreeMap<String, u32>) -> Option<(TableChange, usize)> {
        let after = self.by_name();
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let changed = names.into_iter().filter(|&name| before.get(name) != after.get(name)).count();
        // The names of two values may be alike.
        let has_values = self.live.iter().any(|(name, _)| matches!(name, KeyName::Value(_)));
        if changed == 0 && !has_values {
            return None;
        }
        let mut table = OwnLimits::default();
        self.all().for_each(|(name, limit, _)| table.add(&name, limit));
        let table = (!after.is_empty()).then(|| Arc::new(table));
        let former = mem::replace(&mut self.in_force, table.clone());
        Some((TableChange { table, _former: former }, changed))
    }
}
