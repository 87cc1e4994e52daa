//! The calls of a process, as its driver reads them.

/// The calls of a process, as its driver reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Load {
    /// The calls that hold a permit, with or without a lease. Read in one step with the limit.
    pub running: u32,
    /// The calls that wait for a permit.
    pub waiting: u32,
    /// `true` if a call that may not wait was refused since the last message. It counts as one more
    /// that is wanted, for the time of a renewal.
    pub refused: bool,
}

impl Load {
    /// Returns the permits that calls have or wait for.
    pub(super) fn demand(&self) -> u32 {
        self.running.saturating_add(self.waiting)
    }
}
