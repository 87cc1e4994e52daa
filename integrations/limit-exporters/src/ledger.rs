//! What is to be shown, by the names of limiters and, if asked for, by runtime.
//!
//! # Implementation details
//!
//! Backends take it that a counter never goes back. So a name's counters are those of all limiters that have
//! had it, one after another: the one that has it goes on from where they were (`Former`). That is the
//! same for all exporters.
//!
//! Backends add up what each series has grown by. So what was shown once of a runtime may not turn up
//! again in another series when the runtime ends, and nothing may go missing between two readings. A ledger
//! remembers what it has shown of each runtime. What is counted of a limiter and was shown of none, it
//! shows as `retired`: what ended runtimes have counted that had ended before the first reading, or since the
//! last. So the growth of all series together is that of the limiter, and no series ever goes back.

use crate::diagnostics::OldestHolders;
use crate::limiter::{Entry, entries_and_former};
use crate::metrics::{Counters, Export, Former, Histogram, LimitChanges, Part};
use crate::registry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Weak};

/// Of so many names that nobody has the counters are shown: those that were dropped last.
const DROPPED: usize = 100;

/// What an exporter shows. Without figures by runtime there is nothing to be remembered.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    by_runtime: bool,
    accounts: HashMap<Arc<str>, Account>,
    /// The names that nobody has and that are not shown, as of the last reading: they may be again.
    hidden: HashSet<Arc<str>>,
}

/// What was shown of a name by runtime.
#[derive(Debug, Default)]
struct Account {
    /// Which limiter had the name last.
    owner: Weak<Entry>,
    /// By the runtimes that live.
    runtimes: BTreeMap<u64, OfRuntime>,
    /// What was shown of runtimes that have ended.
    gone: Counters,
}

/// What has been shown of a runtime.
#[derive(Debug, Default)]
struct OfRuntime {
    shown: Counters,
    /// The part of it that was counted by those who had the name before.
    former: Counters,
}

/// What there is to say of a name.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) limiter: Arc<str>,
    /// One, or one for each runtime and one for those that have ended.
    pub(super) parts: Vec<Shown>,
    /// By all that had the name.
    pub(super) changes: LimitChanges,
    #[cfg_attr(
        not(any(feature = "metrics", feature = "prometheus")),
        expect(dead_code, reason = "the instruments are told themselves")
    )]
    pub(super) holds: Option<Box<Histogram>>,
    /// When its oldest holder got its permits, in seconds since 1970.
    pub(super) oldest_holder: Option<f64>,
}

/// A part of a [`Line`].
#[derive(Debug)]
pub(super) struct Shown {
    /// What the label says, if there is one.
    pub(super) runtime: Option<Runtime>,
    /// What the limiter shows at this moment. `None` if it or the runtime is no more.
    pub(super) now: Option<Now>,
    /// By all that had the name.
    pub(super) counters: Counters,
}

/// What is so at one moment.
#[derive(Debug)]
pub(super) struct Now {
    /// Ended runtimes have none.
    pub(super) limit: Option<usize>,
    pub(super) in_use: usize,
    pub(super) waiting: usize,
    pub(super) keys: usize,
}

/// Values of the label `runtime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Runtime {
    /// The number that a snapshot shows.
    Number(u64),
    /// All that have ended.
    Retired,
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Retired => f.write_str("retired"),
        }
    }
}

impl Ledger {
    pub(super) fn new(by_runtime: bool) -> Self {
        Self { by_runtime, ..Self::default() }
    }

    /// All limiters, and those that were dropped last.
    pub(super) fn read(&mut self) -> Vec<Line> {
        let live = self.by_runtime.then(registry::live);
        // In this order: see there.
        let (entries, former) = entries_and_former();
        let oldest = OldestHolders::now();
        let mut lines = Vec::with_capacity(entries.len() + former.len().min(DROPPED));
        for entry in &entries {
            // First: of a limiter that is dropped now, no hold may be shown that it is not left with.
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
            lines.push(Line::new(&entry.name, parts, &counted, oldest_holder));
        }
        for (name, counted) in former.iter().take(DROPPED) {
            let account = self.account(name, None);
            let parts = parts(account, &counted.counters, None, live.as_ref());
            lines.push(Line::new(name, parts, counted, None));
        }
        self.hidden = former.into_iter().skip(DROPPED).map(|(name, _)| name).collect();
        if self.by_runtime {
            let shown: HashSet<_> = lines.iter().map(|line| &*line.limiter).collect();
            let hidden = &self.hidden;
            self.accounts.retain(|name, _| shown.contains(&**name) || hidden.contains(name));
        }
        lines
    }

    /// Whether a name that is not shown may be again, and then goes on from where it was.
    #[cfg(feature = "metrics")]
    pub(super) fn is_hidden(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }

    /// What was shown by runtime of a name, which that limiter has now, or nobody.
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

impl Line {
    fn new(
        limiter: &Arc<str>,
        parts: Vec<Shown>,
        counted: &Former,
        oldest_holder: Option<f64>,
    ) -> Self {
        let (changes, holds) = (counted.changes, counted.holds.clone());
        Self { limiter: Arc::clone(limiter), parts, changes, holds, oldest_holder }
    }
}

/// By runtime if there is an account of what was shown so, else together. What those counted is given that had
/// the name before.
fn parts(
    account: Option<&mut Account>,
    former: &Counters,
    export: Option<Export>,
    live: Option<&BTreeSet<u64>>,
) -> Vec<Shown> {
    match (account, live) {
        (Some(account), Some(live)) => account.by_runtime(former, export, live),
        _ => vec![together(former, export)],
    }
}

fn together(former: &Counters, export: Option<Export>) -> Shown {
    let mut counters = former.clone();
    let part = export.and_then(|mut export| export.parts.pop());
    if let Some(part) = &part {
        counters.add(&part.totals.counters);
    }
    Shown { runtime: None, now: part.as_ref().map(Now::of), counters }
}

impl Account {
    /// A runtime that has ended is told of for the last time.
    fn by_runtime(
        &mut self,
        former: &Counters,
        export: Option<Export>,
        live: &BTreeSet<u64>,
    ) -> Vec<Shown> {
        let mut all = former.clone();
        let mut now = BTreeMap::new();
        let mut of_ended = None;
        for part in export.into_iter().flat_map(|export| export.parts) {
            all.add(&part.totals.counters);
            let Some(runtime) = part.runtime else {
                of_ended = Some(Now::of(&part));
                continue;
            };
            now.insert(runtime, Now::of(&part));
            let account = self.runtimes.entry(runtime).or_default();
            account.shown = account.former.clone();
            account.shown.add(&part.totals.counters);
        }
        let mut parts = Vec::new();
        let mut rest = all;
        rest.subtract(&self.gone);
        self.runtimes.retain(|&number, OfRuntime { shown, .. }| {
            let (runtime, now) = (Some(Runtime::Number(number)), now.remove(&number));
            let lives = now.is_some() || live.contains(&number);
            if !lives {
                self.gone.add(shown);
            }
            rest.subtract(shown);
            parts.push(Shown { runtime, now, counters: shown.clone() });
            lives
        });
        parts.push(Shown { runtime: Some(Runtime::Retired), now: of_ended, counters: rest });
        parts
    }
}

impl Now {
    fn of(part: &Part) -> Self {
        let Part { limit, totals, .. } = part;
        let (in_use, waiting, keys) = (totals.in_use, totals.waiting, totals.keys);
        Self { limit: *limit, in_use, waiting, keys }
    }
}
