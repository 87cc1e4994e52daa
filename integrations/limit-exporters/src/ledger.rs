//! The figures of all limiters by name and, if asked for, by runtime.
//!
//! # Counters never go back
//!
//! Backends rely on that. The counters of a name are those of all limiters that have had it, one after
//! another: the limiter that has it now continues from where they were ([`Totals`]).
//!
//! [`Totals`]: limit_runtime::inspect::Totals

use crate::account::Account;
use crate::deadlocked::Deadlocked;
use crate::oldest::Oldest;
use crate::series::{Series, SeriesPart};
use crate::share::Share;
use crate::state::LimiterState;
use limit_runtime::inspect::{self, Histogram, Inventory, LimiterReading, Totals};
use limit_runtime::{FleetFigures, LedgerFigures};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The number of names without a limiter that are shown: those that lost their limiter last.
const DROPPED: usize = 100;

/// The number of ledgers of a limiter that are shown: with keys there may be very many.
const LEDGERS: usize = 100;

/// The memory of one exporter. Without figures by runtime it has next to nothing to remember.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    by_runtime: bool,
    accounts: HashMap<Arc<str>, Account>,
    /// The names that the last reading did not show because no limiter has them. They may be shown again.
    hidden: HashSet<Arc<str>>,
}

impl Ledger {
    pub(crate) fn new(by_runtime: bool) -> Self {
        Self { by_runtime, ..Self::default() }
    }

    /// Reads all limiters, and the counters of the names that lost their limiter last. `samples` makes of a
    /// histogram what the exporter needs.
    pub(crate) fn read<S>(&mut self, samples: impl Fn(&Histogram) -> S) -> Vec<Series<S>> {
        // First: a known runtime that is missing here has ended, and no reading below has it.
        let live = self.by_runtime.then(inspect::live_runtimes);
        let Inventory { limiters, dropped, .. } = inspect::inventory();
        // After the handles were made: see `OldestHolders::started`.
        let oldest = Oldest::now();
        let deadlocked = Deadlocked::now();
        let mut all = Vec::with_capacity(limiters.len() + dropped.len().min(DROPPED));
        let mut show =
            |name: &Arc<str>, totals: &Totals, now: Option<&LimiterReading>, oldest_holder| {
                let parts = if let Some(live) = &live {
                    let account = self.accounts.entry(Arc::clone(name)).or_default();
                    account.set_owner(now.map(|now| now.id));
                    let readings = now.map_or(&[][..], |now| &now.by_runtime);
                    account.show(&totals.counters, readings, live, &samples)
                } else {
                    let usage = now.map(|now| now.usage);
                    vec![SeriesPart::new(None, usage, &totals.counters, &samples)]
                };
                all.push(Series {
                    limiter: Arc::clone(name),
                    parts,
                    limit_changes: totals.limit_changes,
                    hold_times: totals.hold_times.as_deref().map(&samples),
                    state: now
                        .map(|now| LimiterState::new(now, oldest_holder, deadlocked.has(name))),
                    shares: Share::all(totals, now),
                    ledgers: now.and_then(|now| now.fleet.as_ref()).map(shown).unwrap_or_default(),
                });
            };
        for limiter in &limiters {
            let reading = inspect::read(limiter);
            // A limiter that was dropped meanwhile has counters and nothing else.
            let now = (!reading.is_dropped).then_some(&reading);
            show(&reading.name, &reading.totals, now, now.and_then(|_| oldest.started(limiter)));
        }
        for dropped in dropped.iter().take(DROPPED) {
            show(&dropped.name, &dropped.totals, None, None);
        }
        self.hidden = dropped.into_iter().skip(DROPPED).map(|dropped| dropped.name).collect();
        if self.by_runtime {
            let shown: HashSet<_> = all.iter().map(|series| &*series.limiter).collect();
            let hidden = &self.hidden;
            self.accounts.retain(|name, _| shown.contains(&**name) || hidden.contains(name));
        }
        all
    }

    /// Returns whether a name that is not shown may be shown again, and then continues from where it was.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn is_hidden(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }
}

/// Returns the ledgers that are shown. They stand in the order in which they began.
fn shown(fleet: &FleetFigures) -> Vec<LedgerFigures> {
    fleet.ledgers.iter().take(LEDGERS).cloned().collect()
}
