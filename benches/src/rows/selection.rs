//! The rows and contenders that a run measures.

use limit_benches::measure::Plan;
use limit_benches::processors::Processors;

/// The selected rows and contenders. An empty list selects all.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) plan: Plan,
    pub(crate) rows: Vec<String>,
    pub(crate) skipped: Vec<String>,
    pub(crate) subjects: Vec<String>,
    /// `true` if this process was started for the one row that it measures.
    pub(crate) alone: bool,
    /// The processors on which rows with several tasks run.
    pub(crate) processors: &'static [Processors],
    /// The number of waiters in the long queue.
    pub(crate) waiters: usize,
}

impl Selection {
    /// Returns `true` if a row is selected, by its name or by the beginning of it.
    pub(crate) fn row(&self, name: &str) -> bool {
        let begins = |asked: &String| name.starts_with(asked.as_str());
        let selected = self.rows.is_empty() || self.rows.iter().any(begins);
        selected && !self.skipped.iter().any(begins)
    }

    pub(crate) fn subject(&self, name: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|asked| asked == name)
    }
}
