//! The end of a run.

/// The figures of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Good calls after the warm-up.
    pub(crate) good: f64,
    /// Their mean time.
    pub(crate) time: f64,
    /// J. Jain's index of the limiters' good calls: 1 if all are equal.
    pub(crate) fairness: f64,
    /// Seconds until the limit is at most twice the ideal and its root, and stays there for 10 s.
    pub(crate) settled: Option<f64>,
    /// The advice at the end.
    pub(crate) advice: Option<u32>,
    /// A point for each moment that was asked for: limit, calls in flight, calls in the backend's queue.
    pub(crate) points: Vec<[f64; 3]>,
}
