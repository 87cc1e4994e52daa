//! Counters that never go back, by the names of limiters.

use crate::diagnostics::OldestHolders;
use crate::limiter::{Entry, entries};
use crate::metrics::{Counters, Histogram, LimitChanges, Part};
use std::collections::HashMap;
use std::sync::Arc;

/// What has been counted under each name, by whichever limiters had it one after another.
#[derive(Default)]
pub(super) struct Ledger {
    accounts: HashMap<Arc<str>, Account>,
    /// How many accounts have been closed.
    closed: u64,
}

#[derive(Default)]
struct Account {
    /// Who has the name.
    entry: Option<Arc<Entry>>,
    /// What those have counted who had it before.
    counters: Counters,
    changes: LimitChanges,
    holds: Option<Box<Histogram>>,
    /// The number under which it was closed last.
    closed: u64,
}

/// What there is to say of a name.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) limiter: Arc<str>,
    /// What the limiter shows at this moment. `None` if there is none of that name any more.
    pub(super) now: Option<Part>,
    /// By all that had the name.
    pub(super) counters: Counters,
    pub(super) changes: LimitChanges,
    pub(super) holds: Option<Box<Histogram>>,
    /// When its oldest holder got its permits, in seconds since 1970.
    pub(super) oldest_holder: Option<f64>,
}

impl Ledger {
    /// All limiters, and those that were dropped.
    pub(super) fn read(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        // In this order: see there.
        let entries = entries();
        let oldest = OldestHolders::now();
        for entry in entries {
            let Some(mut export) = entry.export() else { continue };
            let account = self.accounts.entry(Arc::clone(&entry.name)).or_default();
            if account.entry.as_ref().is_some_and(|known| !Arc::ptr_eq(known, &entry)) {
                account.close();
            }
            let part = export.parts.pop().expect("the part of all runtimes");
            let mut line = account.line(&entry.name, Some(part), export.changes);
            add(&mut line.holds, entry.hold_times().as_deref());
            line.oldest_holder = oldest.of(&entry);
            lines.push(line);
            account.entry = Some(entry);
        }
        for (name, account) in &mut self.accounts {
            if account.close() {
                self.closed += 1;
                account.closed = self.closed;
            }
            if account.entry.is_none() {
                lines.push(account.line(name, None, LimitChanges::default()));
            }
        }
        lines
    }

    /// Forgets the names of dropped limiters, the oldest first, until there are no more than these.
    #[cfg(feature = "opentelemetry")]
    pub(super) fn keep(&mut self, most: usize) {
        let gone = self.accounts.values().filter(|account| account.entry.is_none());
        let mut gone: Vec<_> = gone.map(|account| account.closed).collect();
        if gone.len() > most {
            gone.sort_unstable_by(|one, other| other.cmp(one));
            let oldest = gone.get(most).copied().unwrap_or_default();
            self.accounts.retain(|_, account| account.entry.is_some() || account.closed > oldest);
        }
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
        true
    }

    fn line(&self, limiter: &Arc<str>, now: Option<Part>, changes: LimitChanges) -> Line {
        let mut counters = self.counters.clone();
        if let Some(part) = &now {
            counters.add(&part.totals.counters);
        }
        let mut all_changes = self.changes;
        all_changes.add(changes);
        Line {
            limiter: Arc::clone(limiter),
            now,
            counters,
            changes: all_changes,
            holds: self.holds.clone(),
            oldest_holder: None,
        }
    }
}

fn add(all: &mut Option<Box<Histogram>>, more: Option<&Histogram>) {
    if let Some(more) = more {
        all.get_or_insert_with(Box::default).add(more);
    }
}

#[cfg(all(test, feature = "opentelemetry", not(limit_loom)))]
mod tests {
    use super::*;
    use crate::Limiter;

    #[test]
    fn oldest_names_of_dropped_limiters_are_forgotten() {
        let mut ledger = Ledger::default();
        let name = |index: usize| format!("ledger::{index}");
        let stays = Limiter::new("ledger::stays", 1);
        drop(stays.try_acquire());
        for index in 0..20 {
            let limiter = Limiter::named(name(index), 1);
            drop(limiter.try_acquire());
            ledger.read();
            drop(limiter);
            ledger.read();
        }
        ledger.keep(10);
        let lines = ledger.read();
        let has = |name: &str| lines.iter().any(|line| *line.limiter == *name);
        assert!(has("ledger::stays") && has(&name(19)));
        assert!(!has(&name(0)) && !has(&name(9)));
        assert!(lines.iter().filter(|line| line.now.is_none()).count() <= 10);
    }
}
