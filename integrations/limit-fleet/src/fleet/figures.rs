//! The figures of all ledgers, as the core reads them.

use crate::ledger::View;
use limit_runtime::fleet;
use limit_runtime::{FleetFigures, LedgerFigures, Member};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The time for which members are read after somebody has read figures with them.
const WATCHED: Duration = Duration::from_secs(5);

/// The figures of all ledgers of a process, by the limiter's name.
#[derive(Debug, Default)]
pub(super) struct Board {
    limiters: Mutex<HashMap<String, Ledgers>>,
}

/// The figures of a limiter's ledgers, by key.
type Ledgers = BTreeMap<Option<String>, Arc<SharedFigures>>;

/// The figures of one ledger. The ledger's task writes them.
#[derive(Debug, Default)]
pub(super) struct SharedFigures(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    /// The figures, without the members.
    figures: LedgerFigures,
    /// The members with their shares. A ledger may have thousands of them, so they are copied only when asked for.
    members: Vec<Member>,
    /// The end of the lease, by the clock that counts suspension.
    deadline: Option<Duration>,
    /// The time at which somebody has read the members last.
    read_at: Option<Duration>,
}

impl Board {
    pub(super) fn add(&self, limiter: &str, key: Option<&str>) -> Arc<SharedFigures> {
        let figures = Arc::<SharedFigures>::default();
        figures.lock().figures.key = key.map(ToOwned::to_owned);
        let key = key.map(ToOwned::to_owned);
        self.lock().entry(limiter.to_owned()).or_default().insert(key, Arc::clone(&figures));
        figures
    }

    pub(super) fn remove(&self, limiter: &str, key: Option<&str>) {
        let mut limiters = self.lock();
        let Some(ledgers) = limiters.get_mut(limiter) else { return };
        ledgers.remove(&key.map(ToOwned::to_owned));
        if ledgers.is_empty() {
            limiters.remove(limiter);
        }
    }

    /// Returns a limiter's figures, and notes that somebody reads the members.
    pub(super) fn figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.read(limiter, SharedFigures::read)
    }

    /// Returns a limiter's figures without the members.
    pub(super) fn brief_figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.read(limiter, SharedFigures::read_briefly)
    }

    fn read(
        &self,
        limiter: &str,
        read: fn(&SharedFigures) -> LedgerFigures,
    ) -> Option<FleetFigures> {
        let mut figures = FleetFigures::default();
        figures.ledgers = self.lock().get(limiter)?.values().map(|ledger| read(ledger)).collect();
        Some(figures)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Ledgers>> {
        self.limiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn figures_at(&self, now: Duration) -> LedgerFigures {
        let mut figures = self.figures.clone();
        let left = self.deadline.map(|deadline| deadline.saturating_sub(now));
        figures.lease_left = left.filter(|left| !left.is_zero());
        figures
    }
}

impl SharedFigures {
    /// Changes the figures. The members go with the last node.
    pub(super) fn set(&self, set: impl FnOnce(&mut LedgerFigures)) {
        let mut shown = self.lock();
        set(&mut shown.figures);
        if shown.figures.nodes == 0 {
            shown.members.clear();
        }
    }

    /// Sets the end of the lease.
    pub(super) fn set_deadline(&self, deadline: Option<Duration>) {
        self.lock().deadline = deadline;
    }

    /// Sets who has which share. `here` is the name of this process, which shows nothing while the ledger does not know
    /// it.
    pub(super) fn set_members(&self, view: &View, here: &str) {
        let members = view.nodes.iter().map(|node| {
            let mut member = Member::default();
            member.node = node.id.to_string();
            member.here = node.id.process() == here;
            member.share = node.share as usize;
            member.running = node.running as usize;
            member.want = node.want as usize;
            member
        });
        let members = members.collect();
        let mut shown = self.lock();
        if shown.figures.nodes > 0 {
            shown.members = members;
        }
    }

    fn read(&self) -> LedgerFigures {
        let now = fleet::now();
        let mut shown = self.lock();
        shown.read_at = Some(now);
        let mut figures = shown.figures_at(now);
        figures.members.clone_from(&shown.members);
        figures
    }

    fn read_briefly(&self) -> LedgerFigures {
        self.lock().figures_at(fleet::now())
    }

    /// Returns whether somebody has read the members lately.
    pub(super) fn is_watched(&self) -> bool {
        self.lock().read_at.is_some_and(|read_at| fleet::now() < read_at + WATCHED)
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
