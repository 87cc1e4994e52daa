//! The size of a run.

/// The calls that every contender makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many calls are made at once.
    pub(crate) calls: u32,
    /// How many of them may run at once.
    pub(crate) limit: u32,
    pub(crate) rounds: u32,
}
