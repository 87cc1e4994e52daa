//! The figures of one name by runtime.
//!
//! # Nothing is counted under two runtimes
//!
//! Backends add up what each series has grown by. When a runtime ends, its counts must not turn up in another
//! series, and nothing may be lost between two readings. So an account remembers what it has shown of each runtime.
//! It shows as `retired` what a limiter has counted and no runtime's series has shown: the counts of runtimes
//! that ended before the first reading, or between two readings. The growth of all series together is that
//! of the limiter.

use crate::series::{Runtime, SeriesPart};
use limit_runtime::inspect::{Counters, Histogram, RuntimeReading};
use std::collections::{BTreeMap, BTreeSet};

/// The figures by runtime that an exporter has shown of a name.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// The number of the limiter that has the name; `None` if no limiter has it.
    owner: Option<u64>,
    /// The accounts of the live runtimes, by number.
    runtimes: BTreeMap<u64, RuntimeAccount>,
    /// The sum over the runtimes that have ended.
    gone: Counters,
}

/// The figures that an exporter has shown of a runtime.
#[derive(Debug, Default)]
struct RuntimeAccount {
    shown: Counters,
    /// The part of `shown` that earlier limiters of the name have counted.
    former: Counters,
}

impl Account {
    /// Notes which limiter has the name now. The counters of a runtime's series continue from where the last
    /// limiter of the name left them.
    pub(crate) fn set_owner(&mut self, owner: Option<u64>) {
        if self.owner != owner {
            self.owner = owner;
            for runtime in self.runtimes.values_mut() {
                runtime.former = runtime.shown.clone();
            }
        }
    }

    /// Shows each runtime, one that has ended for the last time. `all` are the counters of all limiters of the
    /// name in all runtimes. `live` must be read before the readings: a known runtime that is missing in it has
    /// ended, and no reading has it.
    pub(crate) fn show<S>(
        &mut self,
        all: &Counters,
        readings: &[RuntimeReading],
        live: &BTreeSet<u64>,
        samples: impl Fn(&Histogram) -> S,
    ) -> Vec<SeriesPart<S>> {
        let mut usage = BTreeMap::new();
        let mut usage_of_ended = None;
        for reading in readings {
            let Some(runtime) = reading.runtime else {
                usage_of_ended = Some(reading.usage);
                continue;
            };
            usage.insert(runtime, reading.usage);
            let account = self.runtimes.entry(runtime).or_default();
            account.shown = account.former.clone();
            account.shown.add(&reading.counters);
        }
        let mut parts = Vec::new();
        let mut rest = all.clone();
        rest.subtract(&self.gone);
        self.runtimes.retain(|&number, RuntimeAccount { shown, .. }| {
            let (runtime, usage) = (Some(Runtime::Number(number)), usage.remove(&number));
            // A runtime that began after `live` was read has a usage.
            let lives = usage.is_some() || live.contains(&number);
            if !lives {
                self.gone.add(shown);
            }
            rest.subtract(shown);
            parts.push(SeriesPart::new(runtime, usage, shown, &samples));
            lives
        });
        let runtime = Some(Runtime::Retired);
        parts.push(SeriesPart::new(runtime, usage_of_ended, &rest, &samples));
        parts
    }
}
