//! The results of one run or of several.

use limit_benches::machine::Machine;
use limit_benches::measure::Plan;
use limit_benches::median;
use serde::{Deserialize, Serialize};

use crate::rows::bytes::Bytes;
use crate::rows::cost::Cost;
use crate::rows::{Cell, Row};

/// All results of one run of the table.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Run {
    pub(crate) rows: Vec<Row>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) bytes: Vec<Bytes>,
    pub(crate) notes: Vec<String>,
    pub(crate) seconds: f64,
}

/// The results of all runs. There is at least one, and all have the same rows.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) plan: Plan,
    pub(crate) waiters: usize,
    pub(crate) runs: Vec<Run>,
}

/// The same figure of all runs, from the lowest to the highest.
#[derive(Clone, Debug)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn new(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        (!figures.is_empty()).then_some(Self(figures))
    }

    pub(crate) fn middle(&self) -> f64 {
        median(self.0.clone())
    }

    pub(crate) fn lowest(&self) -> f64 {
        self.0[0]
    }

    pub(crate) fn highest(&self) -> f64 {
        self.0[self.0.len() - 1]
    }
}

impl Report {
    /// Returns the rows of the first run.
    pub(super) fn rows(&self) -> &[Row] {
        &self.runs[0].rows
    }

    /// Returns this row of each run.
    pub(super) fn of_runs<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a Row> {
        let same = |other: &&Row| other.name == row.name && other.processors == row.processors;
        self.runs.iter().filter_map(move |run| run.rows.iter().find(same))
    }

    /// Returns a figure of a contender's cell in all runs that have it.
    pub(super) fn of_cells(
        &self,
        row: &Row,
        subject: &str,
        figure: impl Fn(&Cell) -> Option<f64>,
    ) -> Option<Spread> {
        let cells = self.of_runs(row).filter_map(|row| row.cell(subject));
        Spread::new(cells.filter_map(figure).collect())
    }
}
