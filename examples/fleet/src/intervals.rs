//! The calls of all workers as intervals, and how many ran at once.

/// A call: from its start to its end, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) worker: usize,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// `true` if the call had lost its lease when it ended.
    pub(crate) lost: bool,
}

/// A time, and the calls of each worker that run from then on.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) at: u64,
    pub(crate) running: Vec<u32>,
}

impl Step {
    pub(crate) fn total(&self) -> u32 {
        self.running.iter().sum()
    }
}

/// Returns each change of the number of calls that run at once, in order of time.
///
/// A call that ends at the moment at which another starts does not run beside it: the permit has passed from one
/// to the other.
pub(crate) fn steps(calls: impl Iterator<Item = Call>, workers: usize) -> Vec<Step> {
    let mut changes: Vec<(u64, bool, usize)> = calls
        .flat_map(|call| [(call.start, true, call.worker), (call.end, false, call.worker)])
        .collect();
    // `false` comes first: an end before a start.
    changes.sort_unstable();
    let mut running = vec![0; workers];
    let mut steps: Vec<Step> = Vec::new();
    for (at, starts, worker) in changes {
        if starts {
            running[worker] += 1;
        } else {
            running[worker] -= 1;
        }
        steps.push(Step { at, running: running.clone() });
    }
    steps
}
