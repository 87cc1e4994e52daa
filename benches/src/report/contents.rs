//! The results of one run.

use limit_benches::machine::Machine;
use limit_benches::measure::Plan;

use crate::rows::Row;
use crate::rows::cost::Cost;
use crate::subjects::OURS;

/// All results of one run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) plan: Plan,
    pub(crate) waiters: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) costs: Vec<Cost>,
    pub(crate) notes: Vec<String>,
}

/// Returns `true` if a figure is within its row's target, and `None` if the row has no target for it.
pub(super) fn met(row: &Row, subject: &str, figure: f64) -> Option<bool> {
    let at_most = row.at_most.filter(|_| OURS.contains(&subject))?;
    Some(figure <= at_most)
}
