//! Calls that would wait, if anybody did.

use std::collections::VecDeque;

/// The weights of the calls that were let in over the limit and would not have been by now.
#[derive(Debug, Default)]
pub(super) struct Shadows {
    weights: VecDeque<u32>,
    sum: u64,
}

impl Shadows {
    /// How many calls would wait.
    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// One more would.
    pub(super) fn join(&mut self, weight: u32) {
        self.weights.push_back(weight);
        self.sum += u64::from(weight);
    }

    /// So many permits are out over the limit: whoever has room now would have been let in.
    pub(super) fn settle(&mut self, excess: u32) {
        while let Some(&first) = self.weights.front() {
            if self.sum - u64::from(first) < u64::from(excess) {
                return;
            }
            self.weights.pop_front();
            self.sum -= u64::from(first);
        }
    }
}
