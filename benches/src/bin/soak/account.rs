//! The facts about one limiter that are known from outside: its ledger, and the calls made at it.

use crate::ledger::Ledger;
use crate::score::{self, Fault, fault};
use limit_runtime::{Figures, RejectedKind};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

/// The account of a limiter. It outlives the limiter, as permits do.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) ledger: Ledger,
    tally: Tally,
    /// The number of calls and permits that exist at this moment.
    live: AtomicUsize,
}

/// The numbers of calls, by how they ended.
#[derive(Debug, Default)]
struct Tally {
    /// Calls that were polled at least once.
    made: AtomicU64,
    admitted: AtomicU64,
    refused: [AtomicU64; RejectedKind::ALL.len()],
    /// Calls that were dropped after their first poll and before they were ready.
    cancelled: AtomicU64,
    /// Calls in whose poll a foreign waker has panicked.
    panicked: AtomicU64,
}

/// The end of a call.
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

    /// Counts a call that is polled for the first time.
    pub(crate) fn count_made(&self) {
        self.tally.made.fetch_add(1, SeqCst);
    }

    /// Counts the end of a call that was polled.
    pub(crate) fn count_end(&self, end: End) {
        let count = match end {
            End::Admitted => &self.tally.admitted,
            End::Refused(kind) => &self.tally.refused[index(kind)],
            End::Cancelled => &self.tally.cancelled,
            End::Panicked => &self.tally.panicked,
        };
        count.fetch_add(1, SeqCst);
        score::count_call();
    }

    /// Returns how many calls have been polled until now.
    pub(crate) fn made(&self) -> u64 {
        self.tally.made.load(SeqCst)
    }

    /// Returns how many calls and permits exist at this moment.
    pub(crate) fn live(&self) -> usize {
        self.live.load(SeqCst)
    }

    /// Checks the limiter's figures while no call is under way: each call is counted once.
    ///
    /// The limiter may or may not count a call in whose poll a foreign waker has panicked. The
    /// panic can come before the decision or after it.
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
            // A cancelled call may have been refused without having noticed.
            let (told, counted) = (load(&refused[index(kind)]), figures.rejected.get(kind));
            if counted < told || counted > told + cancelled + panicked {
                self.lost(format_args!("{told} were told {kind:?}, {counted} are counted"));
            }
        }
    }

    pub(crate) fn lost(&self, what: impl Display) {
        fault(Fault::Lost, &format!("{}: {what}", self.name));
    }
}

/// Returns how many calls a limiter has counted.
pub(crate) fn counted(figures: &Figures) -> u64 {
    figures.admitted_at_once
        + figures.admitted_after_waiting
        + figures.cancelled
        + figures.rejected.total()
}

fn index(kind: RejectedKind) -> usize {
    let index = RejectedKind::ALL.iter().position(|&other| other == kind);
    index.expect("`ALL` has all of them")
}

/// A call or its permit, counted while it exists.
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
