//! The rows of the table, one small file for each kind.

pub(crate) mod cost;
pub(crate) mod crowd;
pub(crate) mod free;
pub(crate) mod million;
pub(crate) mod policies;
pub(crate) mod shared;

use tokio::runtime::{Builder, Runtime};

use crate::subjects::PEER;
use limit_benches::measure::{Contestant, Plan, Series, compare};
use limit_benches::median;

/// The unit of a row's figures, and their base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// The time of a call as a ratio to that of the hand-written semaphore.
    TimesPeer,
    /// The time of a call as a ratio to that of the same contender in a smaller setting.
    TimesSmaller,
    /// Bytes.
    Bytes,
}

/// One contender's figures in one row.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) subject: &'static str,
    /// The figure in the row's unit. A ratio is the median of the rounds.
    pub(crate) figure: f64,
    /// The ratios of all rounds, from the lowest to the highest.
    pub(crate) ratios: Vec<f64>,
    /// The median of the nanoseconds of one call, where the row measures time.
    pub(crate) nanos: Option<f64>,
    /// The same of the base.
    pub(crate) base_nanos: Option<f64>,
    /// A note in words.
    pub(crate) note: Option<String>,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: Unit,
    /// The target: the highest figure that our two columns may show. `None` for a row that only
    /// informs.
    pub(crate) at_most: Option<f64>,
    pub(crate) cells: Vec<Cell>,
}

/// The selected rows and contenders. An empty list selects all.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) plan: Plan,
    pub(crate) rows: Vec<String>,
    pub(crate) subjects: Vec<String>,
    /// The number of waiters in the long queue.
    pub(crate) waiters: usize,
}

impl Selection {
    /// Returns `true` if a row is selected, by its name or by the beginning of it.
    pub(crate) fn row(&self, name: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|asked| name.starts_with(asked.as_str()))
    }

    pub(crate) fn subject(&self, name: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|asked| asked == name)
    }
}

/// Makes a runtime with two workers.
pub(crate) fn two_workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().expect("a runtime with two workers")
}

/// Makes a runtime that runs on the thread that calls `block_on`.
pub(crate) fn this_thread() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime on this thread")
}

/// Measures the selected contestants, and the peer, against the peer.
fn against_peer(
    selection: &Selection,
    name: &'static str,
    what: &'static str,
    at_most: Option<f64>,
    mut contestants: Vec<Contestant<'_>>,
) -> Row {
    eprintln!("{name}: {what}");
    contestants.retain(|one| one.name == PEER || selection.subject(one.name));
    let series = compare(selection.plan, &mut contestants);
    let peer = series.iter().find(|one| one.name == PEER).expect("the peer always runs");
    let cells = series.iter().map(|one| cell(one, peer)).collect();
    Row { name, what, unit: Unit::TimesPeer, at_most, cells }
}

fn cell(one: &Series, base: &Series) -> Cell {
    let ratios = one.ratios_to(base);
    Cell {
        subject: one.name,
        figure: median(ratios.clone()),
        ratios,
        nanos: Some(one.median()),
        base_nanos: Some(base.median()),
        note: None,
    }
}
