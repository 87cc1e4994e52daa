//! The samples that a backend has not received yet.

use crate::ledger::Ledger;
use crate::metric::Distribution;
use crate::series::{Runtime, Series};
use limit_runtime::inspect::Histogram;
use std::collections::HashMap;
use std::sync::Arc;

/// The readings for a backend that keeps histograms itself, and the samples that it has received.
///
/// Each sample is given out once: a reading has all samples of a series, and those of earlier readings are
/// taken away. So readings have to be given out in the order in which they were taken.
#[derive(Debug)]
pub(crate) struct Deltas {
    ledger: Ledger,
    /// The number of the last reading.
    reading: u64,
    known: HashMap<(Distribution, Arc<str>, Option<Runtime>), Known>,
}

/// The samples of a series that the backend has received.
#[derive(Debug, Default)]
struct Known {
    samples: Histogram,
    /// The last reading that had the series.
    reading: u64,
}

impl Deltas {
    pub(crate) fn new(by_runtime: bool) -> Self {
        Self { ledger: Ledger::new(by_runtime), reading: 0, known: HashMap::new() }
    }

    /// Reads all limiters.
    pub(crate) fn read(&mut self) -> Vec<Series> {
        self.reading += 1;
        self.ledger.read(|samples| Box::new(samples.clone()))
    }

    /// Returns the samples of a series of the last reading that the backend has not received, in seconds and how
    /// often. From now on they count as received: the backend may panic.
    pub(crate) fn take(
        &mut self,
        of: Distribution,
        limiter: &Arc<str>,
        runtime: Option<Runtime>,
        samples: &Histogram,
    ) -> Vec<(f64, u64)> {
        let known = self.known.entry((of, Arc::clone(limiter), runtime)).or_default();
        known.reading = self.reading;
        if known.samples.count() == samples.count() {
            return Vec::new();
        }
        let mut new = samples.clone();
        new.subtract(&known.samples);
        known.samples = samples.clone();
        new.samples()
    }

    /// Forgets the series that the last reading did not have: those of ended runtimes and of forgotten names. To
    /// be called when all its samples are given out.
    pub(crate) fn forget_absent(&mut self) {
        let Self { ledger, reading, known } = self;
        known.retain(|(_, name, _), known| known.reading == *reading || ledger.is_hidden(name));
    }
}
