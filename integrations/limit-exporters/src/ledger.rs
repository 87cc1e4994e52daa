//! The figures of all limiters by name and, if asked for, by runtime.
//!
//! # Counters never go back
//!
//! Backends rely on that. The counters of a name are those of all limiters that have had it, one after
//! another: the limiter that has it now continues from where they were (`Former`).
//!
//! # Nothing is counted under two runtimes
//!
//! Backends add up what each series has grown by. When a runtime ends, its counts must not turn up in another
//! series, and nothing may be lost between two readings. So a ledger remembers what it has shown of each runtime.
//! It shows as `retired` what a limiter has counted and no runtime's series has shown: the counts of runtimes
//! that ended before the first reading, or between two readings. The growth of all series together is that
//! of the limiter.

use super::series::{Levels, Runtime, Series, SeriesPart};
use crate::diagnostics::OldestHolders;
use crate::limiter::{Entry, entries_and_former};
use crate::metrics::{Counters, Export};
use crate::registry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Weak};

/// The number of names without a limiter that are shown: those that lost their limiter last.
const DROPPED: usize = 100;

/// The memory of one exporter. Without figures by runtime it has next to nothing to remember.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    by_runtime: bool,
    accounts: HashMap<Arc<str>, Account>,
    /// The names that the last reading did not show because no limiter has them. They may be shown again.
    hidden: HashSet<Arc<str>>,
}

/// The figures by runtime that the ledger has shown of a name.
#[derive(Debug, Default)]
struct Account {
    /// The limiter that had the name last.
    owner: Weak<Entry>,
    /// By number, of the runtimes that live.
    runtimes: BTreeMap<u64, RuntimeAccount>,
    /// The sum over the runtimes that have ended.
    gone: Counters,
}

/// The figures that the ledger has shown of a runtime.
#[derive(Debug, Default)]
struct RuntimeAccount {
    shown: Counters,
    /// The part of `shown` that earlier limiters of the name have counted.
    former: Counters,
}

impl Ledger {
    pub(super) fn new(by_runtime: bool) -> Self {
        Self { by_runtime, ..Self::default() }
    }

    /// Reads all limiters, and the counters of the names that lost their limiter last.
    pub(super) fn read(&mut self) -> Vec<Series> {
        let live = self.by_runtime.then(registry::live);
        // The limiters before the holders: see `OldestHolders::now`.
        let (entries, former) = entries_and_former();
        let oldest = OldestHolders::now();
        let mut all = Vec::with_capacity(entries.len() + former.len().min(DROPPED));
        for entry in &entries {
            // Before the other figures: if the limiter is dropped meanwhile, its last figures have these holds.
            let holds = entry.hold_times();
            let export = if self.by_runtime { entry.export_by_runtime() } else { entry.export() };
            let mut counted = match &export {
                Some(_) => entry.former().cloned().unwrap_or_default(),
                None => entry.counted_last().as_deref().cloned().unwrap_or_default(),
            };
            let is_there = export.is_some();
            if let Some(export) = &export {
                counted.changes.add(export.changes);
                counted.add_holds(holds.as_deref());
            }
            let oldest_holder = if is_there { oldest.of(entry) } else { None };
            let account = self.account(&entry.name, Some(entry).filter(|_| is_there));
            let parts = parts(account, &counted.counters, export, live.as_ref());
            all.push(Series::new(&entry.name, parts, &counted, oldest_holder));
        }
        for (name, counted) in former.iter().take(DROPPED) {
            let account = self.account(name, None);
            let parts = parts(account, &counted.counters, None, live.as_ref());
            all.push(Series::new(name, parts, counted, None));
        }
        self.hidden = former.into_iter().skip(DROPPED).map(|(name, _)| name).collect();
        if self.by_runtime {
            let shown: HashSet<_> = all.iter().map(|series| &*series.limiter).collect();
            let hidden = &self.hidden;
            self.accounts.retain(|name, _| shown.contains(&**name) || hidden.contains(name));
        }
        all
    }

    /// Returns whether a name that is not shown may be shown again, and then continues from where it was.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(super) fn is_hidden(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }

    /// Returns the account of a name, which `owner` has now or no limiter has. `None` without figures by
    /// runtime.
    fn account(&mut self, name: &Arc<str>, owner: Option<&Arc<Entry>>) -> Option<&mut Account> {
        if !self.by_runtime {
            return None;
        }
        let account = self.accounts.entry(Arc::clone(name)).or_default();
        let owner = owner.map(Arc::downgrade).unwrap_or_default();
        if !account.owner.ptr_eq(&owner) {
            account.owner = owner;
            for runtime in account.runtimes.values_mut() {
                runtime.former = runtime.shown.clone();
            }
        }
        Some(account)
    }
}

/// Returns the figures by runtime if there is an account, else together. `former` is what earlier limiters
/// of the name have counted.
fn parts(
    account: Option<&mut Account>,
    former: &Counters,
    export: Option<Export>,
    live: Option<&BTreeSet<u64>>,
) -> Vec<SeriesPart> {
    match (account, live) {
        (Some(account), Some(live)) => account.by_runtime(former, export, live),
        (None, _) | (_, None) => vec![together(former, export)],
    }
}

fn together(former: &Counters, export: Option<Export>) -> SeriesPart {
    let mut counters = former.clone();
    let part = export.and_then(|mut export| export.parts.pop());
    if let Some(part) = &part {
        counters.add(&part.totals.counters);
    }
    SeriesPart { runtime: None, levels: part.as_ref().map(Levels::from_part), counters }
}

impl Account {
    /// Shows each runtime, one that has ended for the last time.
    fn by_runtime(
        &mut self,
        former: &Counters,
        export: Option<Export>,
        live: &BTreeSet<u64>,
    ) -> Vec<SeriesPart> {
        let mut all = former.clone();
        let mut levels = BTreeMap::new();
        let mut levels_of_ended = None;
        for part in export.into_iter().flat_map(|export| export.parts) {
            all.add(&part.totals.counters);
            let Some(runtime) = part.runtime else {
                levels_of_ended = Some(Levels::from_part(&part));
                continue;
            };
            levels.insert(runtime, Levels::from_part(&part));
            let account = self.runtimes.entry(runtime).or_default();
            account.shown = account.former.clone();
            account.shown.add(&part.totals.counters);
        }
        let mut parts = Vec::new();
        let mut rest = all;
        rest.subtract(&self.gone);
        self.runtimes.retain(|&number, RuntimeAccount { shown, .. }| {
            let (runtime, levels) = (Some(Runtime::Number(number)), levels.remove(&number));
            let lives = levels.is_some() || live.contains(&number);
            if !lives {
                self.gone.add(shown);
            }
            rest.subtract(shown);
            parts.push(SeriesPart { runtime, levels, counters: shown.clone() });
            lives
        });
        let runtime = Some(Runtime::Retired);
        parts.push(SeriesPart { runtime, levels: levels_of_ended, counters: rest });
        parts
    }
}
