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

/// What the figures of a row are, and what they are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Time of a call as a ratio to the hand-written semaphore's.
    TimesPeer,
    /// Time of a call as a ratio to the same contender's in a smaller setting.
    TimesSmaller,
    /// Bytes.
    Bytes,
}

/// One contender's figures in one row.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) subject: &'static str,
    /// In the row's unit; of a ratio, the median of the rounds.
    pub(crate) figure: f64,
    /// The ratios of all rounds, from the lowest to the highest.
    pub(crate) ratios: Vec<f64>,
    /// Median nanoseconds of one call, where the row measures time.
    pub(crate) nanos: Option<f64>,
    /// The same of what it is held against.
    pub(crate) base_nanos: Option<f64>,
    /// What else is worth knowing, in words.
    pub(crate) note: Option<String>,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) unit: Unit,
    /// The most that our two columns may show; none for a row that only informs.
    pub(crate) at_most: Option<f64>,
    pub(crate) cells: Vec<Cell>,
}

/// Which rows and contenders were asked for; none named means all.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) plan: Plan,
    pub(crate) rows: Vec<String>,
    pub(crate) subjects: Vec<String>,
    /// How many waiters stand in the long queue.
    pub(crate) waiters: usize,
}

impl Selection {
    /// A row is asked for by its name or by what its name begins with.
    pub(crate) fn row(&self, name: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|asked| name.starts_with(asked.as_str()))
    }

    pub(crate) fn subject(&self, name: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|asked| asked == name)
    }
}

/// A runtime with two workers.
pub(crate) fn two_workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().expect("a runtime with two workers")
}

/// A runtime that runs on the thread that calls `block_on`.
pub(crate) fn this_thread() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime on this thread")
}

/// Measures the contestants asked for, and the peer, against the peer.
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
