//! The warnings about a ledger in the snapshot of its limiter.

use crate::message::Times;
use crate::node::Figures;
use limit_runtime::fleet::Lease;
use std::time::Duration;

/// The warnings that hold now. They are taken back when they hold no more, and when this is dropped.
#[derive(Debug)]
pub(super) struct Warnings {
    lease: Lease,
    given: Vec<String>,
    /// The time of the first answer since which all have said that another limit is in force.
    disagrees_since: Option<u64>,
}

/// The time for which answers must disagree. A ledger needs a quarter of a second to see that a limit was raised.
const SETTLED: u64 = 500_000;

impl Warnings {
    pub(super) fn new(lease: Lease) -> Self {
        Self { lease, given: Vec::new(), disagrees_since: None }
    }

    /// Warns of what the node has heard with the answer that has come `now`.
    pub(super) fn update(&mut self, now: u64, figures: &Figures, times: &Times) {
        let mut wanted = Vec::new();
        let since = figures.disagrees().then(|| self.disagrees_since.unwrap_or(now));
        self.disagrees_since = since;
        let is_settled = since.is_some_and(|since| now >= since + SETTLED);
        let own = figures.own_limit;
        // A smaller one is told first: it is the one that is in force.
        let others = [figures.limit, figures.most].into_iter().flatten().find(|it| *it != own);
        if let Some(other) = others.filter(|_| is_settled) {
            let key = self.lease.key().map(|key| format!(" for key {key:?}")).unwrap_or_default();
            wanted.push(format!(
                "this process wants a limit of {own} over the fleet{key}, and another one wants {other}: \
                 the smallest holds; give all processes the same limit"
            ));
        }
        if let Some(others) = figures.other_times {
            let [own, others] = [times, &others].map(|times| Duration::from_micros(times.term()));
            wanted.push(format!(
                "this process leases for {own:?}, and the fleet for {others:?}: it gets no permits; \
                 give all processes the same `lease`"
            ));
        }
        self.set(wanted);
    }

    fn set(&mut self, wanted: Vec<String>) {
        for text in self.given.iter().filter(|text| !wanted.contains(text)) {
            self.lease.withdraw_warning(text);
        }
        for text in &wanted {
            // Repeated: it may have been taken back by another ledger of the limiter with the same text.
            self.lease.warn(text.clone());
        }
        self.given = wanted;
    }
}

impl Drop for Warnings {
    fn drop(&mut self) {
        self.set(Vec::new());
    }
}
