//! What is known from outside of one limiter: its ledger, and the calls made at it.

use crate::ledger::Ledger;
use crate::score::{self, Fault, fault};
use limit_runtime::{Figures, RejectedKind};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

/// Outlives its limiter, as permits do.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) ledger: Ledger,
    tally: Tally,
    /// Calls and permits that there are at this moment.
    live: AtomicUsize,
}

/// How calls have ended.
#[derive(Debug, Default)]
struct Tally {
    /// Calls that were polled at least once.
    made: AtomicU64,
    admitted: AtomicU64,
    refused: [AtomicU64; RejectedKind::ALL.len()],
    /// Dropped after they had been polled, and before they were ready.
    cancelled: AtomicU64,
    /// A foreign waker has panicked in their poll.
    panicked: AtomicU64,
}

/// How a call has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Admitted,
    Refused(RejectedKind),
    Cancelled,
    Panicked,
}

impl Account {
    pub(crate) fn new(name: String, ledger: Ledger) -> Self {
        Self { name, ledger, tally: Tally::default(), live: AtomicUsize::new(0) }
    }

    /// A call is polled for the first time.
    pub(crate) fn count_made(&self) {
        self.tally.made.fetch_add(1, SeqCst);
    }

    /// A call that was polled has ended.
    pub(crate) fn count_end(&self, end: End) {
        let count = match end {
            End::Admitted => &self.tally.admitted,
            End::Refused(kind) => &self.tally.refused[index_of(kind)],
            End::Cancelled => &self.tally.cancelled,
            End::Panicked => &self.tally.panicked,
        };
        count.fetch_add(1, SeqCst);
        score::count_call();
    }

    /// How many calls have been polled until now.
    pub(crate) fn made(&self) -> u64 {
        self.tally.made.load(SeqCst)
    }

    /// How many calls and permits there are at this moment.
    pub(crate) fn live(&self) -> usize {
        self.live.load(SeqCst)
    }

    /// Checks the limiter's figures when no call is under way: each call is counted once.
    ///
    /// A call in whose poll a foreign waker has panicked may be counted or not: it may have been
    /// decided about or not.
    pub(crate) fn check_figures(&self, figures: &Figures) {
        let Tally { made, admitted, refused, cancelled, panicked } = &self.tally;
        let load = |count: &AtomicU64| count.load(SeqCst);
        let (made, panicked, cancelled) = (load(made), load(panicked), load(cancelled));
        let counted = counted(figures);
        if counted > made || counted + panicked < made {
            self.lost(format_args!(
                "{made} calls were made ({panicked} of them panicked), and {counted} are counted: \
                 {figures:?}; {:?}",
                self.tally
            ));
        }
        let admissions = figures.admitted_at_once + figures.admitted_after_waiting;
        if admissions < load(admitted) {
            self.lost(format_args!("{} admitted, {admissions} are counted", load(admitted)));
        }
        for &kind in RejectedKind::ALL {
            // Who is cancelled may have been refused and not have noticed.
            let (told, counted) = (load(&refused[index_of(kind)]), figures.rejected.get(kind));
            if counted < told || counted > told + cancelled + panicked {
                self.lost(format_args!("{told} were told {kind:?}, {counted} are counted"));
            }
        }
    }

    pub(crate) fn lost(&self, what: impl Display) {
        fault(Fault::Lost, &format!("{}: {what}", self.name));
    }
}

/// How many calls a limiter has counted.
pub(crate) fn counted(figures: &Figures) -> u64 {
    figures.admitted_at_once
        + figures.admitted_after_waiting
        + figures.cancelled
        + figures.rejected.total()
}

fn index_of(kind: RejectedKind) -> usize {
    let index = RejectedKind::ALL.iter().position(|&other| other == kind);
    index.expect("`ALL` has all of them")
}

/// A call, or the permit that it has got.
#[derive(Debug)]
pub(crate) struct Live(Arc<Account>);

impl Live {
    pub(crate) fn new(account: &Arc<Account>) -> Self {
        account.live.fetch_add(1, SeqCst);
        Self(Arc::clone(account))
    }

    pub(crate) fn account(&self) -> &Account {
        &self.0
    }
}

impl Clone for Live {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, SeqCst);
    }
}
