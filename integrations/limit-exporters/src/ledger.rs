//! The figures of all limiters by name and, if asked for, by runtime.
//!
//! # Counters never go back
//!
//! Backends rely on that. The counters of a name are those of all limiters that have had it, one after
//! another: the limiter that has it now continues from where they were ([`Totals`]).
//!
//! [`Totals`]: limit_runtime::inspect::Totals

use crate::account::Account;
use crate::oldest::Oldest;
use crate::series::{Series, SeriesPart};
use limit_runtime::inspect::{self, DroppedName, Inventory, LimiterReading, Totals};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The number of names without a limiter that are shown: those that lost their limiter last.
const DROPPED: usize = 100;

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

    /// Reads all limiters, and the counters of the names that lost their limiter last.
    pub(crate) fn read(&mut self) -> Vec<Series> {
        // First: a known runtime that is missing here has ended, and no reading below has it.
        let live = self.by_runtime.then(inspect::live_runtimes);
        let Inventory { limiters, dropped, .. } = inspect::inventory();
        // After the handles were made: see `OldestHolders::started`.
        let oldest = Oldest::now();
        let mut all = Vec::with_capacity(limiters.len() + dropped.len().min(DROPPED));
        for limiter in &limiters {
            let reading = inspect::read(limiter);
            let LimiterReading { name, id, is_dropped, usage, totals, by_runtime, .. } = reading;
            // A limiter that was dropped meanwhile has counters and nothing else.
            let (owner, usage, by_runtime) = if is_dropped {
                (None, None, Vec::new())
            } else {
                (Some(id), Some(usage), by_runtime)
            };
            let oldest_holder = owner.and_then(|_| oldest.started(limiter));
            let Totals { counters, limit_changes, hold_times, .. } = totals;
            let parts = match &live {
                None => vec![SeriesPart { runtime: None, usage, counters }],
                Some(live) => self.account(&name, owner).show(counters, by_runtime, live),
            };
            all.push(Series { limiter: name, parts, limit_changes, hold_times, oldest_holder });
        }
        for DroppedName { name, totals, .. } in dropped.iter().take(DROPPED) {
            let Totals { counters, limit_changes, hold_times, .. } = Totals::clone(totals);
            let parts = match &live {
                None => vec![SeriesPart { runtime: None, usage: None, counters }],
                Some(live) => self.account(name, None).show(counters, Vec::new(), live),
            };
            let limiter = Arc::clone(name);
            all.push(Series { limiter, parts, limit_changes, hold_times, oldest_holder: None });
        }
        self.hidden = dropped.into_iter().skip(DROPPED).map(|dropped| dropped.name).collect();
        if self.by_runtime {
            let shown: HashSet<_> = all.iter().map(|series| &*series.limiter).collect();
            let hidden = &self.hidden;
            self.accounts.retain(|name, _| shown.contains(&**name) || hidden.contains(name));
        }
        all
    }

    /// Returns the account of a name, which `owner` has now or no limiter has.
    fn account(&mut self, name: &Arc<str>, owner: Option<u64>) -> &mut Account {
        let account = self.accounts.entry(Arc::clone(name)).or_default();
        account.set_owner(owner);
        account
    }

    /// Returns whether a name that is not shown may be shown again, and then continues from where it was.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn is_hidden(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }
}
