//! The size of a run.

/// The calls that every contender makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The number of calls made at once.
    pub(crate) calls: u32,
    /// The number of them that may run at once.
    pub(crate) limit: u32,
    pub(crate) rounds: u32,
}
