//! Counters that never go back, by the names of limiters and, if asked for, by runtime.
//!
//! # Implementation details
//!
//! Backends add up what each series has grown by. So what was shown once of a runtime may not turn up
//! again in another series when the runtime ends, and nothing may go missing between two readings. A ledger
//! remembers what it has shown of each runtime. What is counted of a limiter and was shown of none, it
//! shows as `retired`: what ended runtimes have counted that had ended before the first reading, or since the
//! last. So the growth of all series together is that of the limiter, and no series ever goes back.

use crate::diagnostics::OldestHolders;
use crate::limiter::{Entry, entries};
use crate::metrics::{Counters, Export, Histogram, LimitChanges, Part};
use crate::registry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

/// Of so many names of dropped limiters the counters are kept, where names can be forgotten.
#[cfg(any(feature = "opentelemetry", feature = "prometheus"))]
const DROPPED: usize = 100;

/// What has been counted under each name, by whichever limiters had it one after another.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    by_runtime: bool,
    accounts: HashMap<Arc<str>, Account>,
    /// How many accounts have been closed.
    closed: u64,
}

#[derive(Debug, Default)]
struct Account {
    /// Who has the name.
    entry: Option<Arc<Entry>>,
    /// What those have counted who had it before.
    counters: Counters,
    changes: LimitChanges,
    holds: Option<Box<Histogram>>,
    /// By the runtimes that live.
    runtimes: BTreeMap<u64, OfRuntime>,
    /// What was shown of runtimes that have ended.
    gone: Counters,
    /// The number under which it was closed last.
    closed: u64,
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

    /// All limiters, and those that were dropped.
    pub(super) fn read(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        let live = self.by_runtime.then(registry::live);
        // In this order: see there.
        let entries = entries();
        let oldest = OldestHolders::now();
        for entry in entries {
            let export = if self.by_runtime { entry.export_by_runtime() } else { entry.export() };
            let Some(export) = export else { continue };
            let account = self.accounts.entry(Arc::clone(&entry.name)).or_default();
            if account.entry.as_ref().is_some_and(|known| !Arc::ptr_eq(known, &entry)) {
                account.close();
            }
            let (mut changes, mut holds) = (account.changes, account.holds.clone());
            changes.add(export.changes);
            add(&mut holds, entry.hold_times().as_deref());
            let parts = account.parts(Some(export), live.as_ref());
            let (limiter, oldest_holder) = (Arc::clone(&entry.name), oldest.of(&entry));
            lines.push(Line { limiter, parts, changes, holds, oldest_holder });
            account.entry = Some(entry);
        }
        for (name, account) in &mut self.accounts {
            if account.close() {
                self.closed += 1;
                account.closed = self.closed;
            }
            if account.entry.is_none() {
                let parts = account.parts(None, live.as_ref());
                let (changes, holds) = (account.changes, account.holds.clone());
                let limiter = Arc::clone(name);
                lines.push(Line { limiter, parts, changes, holds, oldest_holder: None });
            }
        }
        lines
    }

    /// Forgets the names of dropped limiters, the oldest first, until there are not too many.
    #[cfg(any(feature = "opentelemetry", feature = "prometheus"))]
    pub(super) fn forget(&mut self) {
        let gone = self.accounts.values().filter(|account| account.entry.is_none());
        let mut gone: Vec<_> = gone.map(|account| account.closed).collect();
        if gone.len() > DROPPED {
            gone.sort_unstable_by(|one, other| other.cmp(one));
            let oldest = gone.get(DROPPED).copied().unwrap_or_default();
            self.accounts.retain(|_, account| account.entry.is_some() || account.closed > oldest);
        }
    }
}

impl Line {
    /// Of a limiter that is there, from its first use on.
    #[cfg(feature = "prometheus")]
    pub(super) fn of(entry: &Entry, oldest: &OldestHolders) -> Option<Self> {
        let mut export = entry.export()?;
        let part = export.parts.pop().expect("the part of all runtimes");
        let now = Some(Now::of(&part));
        Some(Self {
            limiter: Arc::clone(&entry.name),
            parts: vec![Shown { runtime: None, now, counters: part.totals.counters }],
            changes: export.changes,
            holds: entry.hold_times(),
            oldest_holder: oldest.of(entry),
        })
    }
}

impl Account {
    /// Whether its limiter was dropped. Then what that has counted is of the past.
    fn close(&mut self) -> bool {
        let Some(entry) = &self.entry else { return false };
        let Some((counters, changes)) = entry.last_counters() else { return false };
        add(&mut self.holds, entry.hold_times().as_deref());
        self.entry = None;
        self.counters.add(&counters);
        self.changes.add(changes);
        for runtime in self.runtimes.values_mut() {
            runtime.former = runtime.shown.clone();
        }
        true
    }

    /// By runtime if the live ones are given, else together.
    fn parts(&mut self, export: Option<Export>, live: Option<&BTreeSet<u64>>) -> Vec<Shown> {
        match live {
            Some(live) => self.by_runtime(export, live),
            None => vec![self.together(export)],
        }
    }

    fn together(&self, export: Option<Export>) -> Shown {
        let mut counters = self.counters.clone();
        let part = export.and_then(|mut export| export.parts.pop());
        if let Some(part) = &part {
            counters.add(&part.totals.counters);
        }
        Shown { runtime: None, now: part.as_ref().map(Now::of), counters }
    }

    /// A runtime that has ended is told of for the last time.
    fn by_runtime(&mut self, export: Option<Export>, live: &BTreeSet<u64>) -> Vec<Shown> {
        let mut all = self.counters.clone();
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

fn add(all: &mut Option<Box<Histogram>>, more: Option<&Histogram>) {
    if let Some(more) = more {
        all.get_or_insert_with(Box::default).add(more);
    }
}

#[cfg(all(test, any(feature = "opentelemetry", feature = "prometheus"), not(limit_loom)))]
mod tests {
    use super::*;
    use crate::Limiter;

    #[test]
    fn oldest_names_of_dropped_limiters_are_forgotten() {
        let mut ledger = Ledger::default();
        let name = |index: usize| format!("ledger::{index}");
        let stays = Limiter::new("ledger::stays", 1);
        drop(stays.try_acquire());
        for index in 0..DROPPED * 2 {
            let limiter = Limiter::named(name(index), 1);
            drop(limiter.try_acquire());
            ledger.read();
            drop(limiter);
            ledger.read();
        }
        ledger.forget();
        let lines = ledger.read();
        let has = |name: &str| lines.iter().any(|line| *line.limiter == *name);
        assert!(has("ledger::stays") && has(&name(DROPPED * 2 - 1)));
        assert!(!has(&name(0)) && !has(&name(DROPPED - 1)));
        let is_gone = |line: &&Line| line.parts.iter().all(|part| part.now.is_none());
        assert!(lines.iter().filter(is_gone).count() <= DROPPED);
    }
}
