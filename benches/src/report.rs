//! The table for people and the JSON for programs.

mod json;
mod text;

use limit_benches::machine::Machine;

use crate::rows::Row;
use crate::rows::cost::Cost;
use crate::subjects::OURS;
use limit_benches::measure::Plan;

/// Everything that one run has found.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) plan: Plan,
    pub(crate) waiters: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// Prints the tables.
    pub(crate) fn print(&self) {
        print!("{}", text::render(self));
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> String {
        json::render(self)
    }
}

/// Whether a figure is within its row's target; none where nothing is asked of it.
fn met(row: &Row, subject: &str, figure: f64) -> Option<bool> {
    let at_most = row.at_most.filter(|_| OURS.contains(&subject))?;
    Some(figure <= at_most)
}
