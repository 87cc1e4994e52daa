//! The permits that a process has a use for.

use super::Node;

/// The calls of a process, as its driver reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Load {
    /// The calls that hold a permit, with or without a lease. Read in one step with the limit.
    pub running: u32,
    /// The calls that wait for a permit.
    pub waiting: u32,
    /// Whether a call that may not wait was refused since the last message. It counts as one more
    /// that is wanted, for the time of a renewal.
    pub refused: bool,
}

impl Load {
    /// Returns the permits that calls have or wait for.
    fn demand(&self) -> u32 {
        self.running.saturating_add(self.waiting)
    }
}

impl Node {
    /// Returns the permits that the node asks for.
    pub(super) fn want(&self, now: u64, load: Load) -> u32 {
        let sought = self.is_sought(now, load) && load.waiting == 0;
        if self.left { 0 } else { load.demand().saturating_add(u32::from(sought)) }
    }

    /// Tells whether calls would use one permit more.
    fn is_sought(&self, now: u64, load: Load) -> bool {
        load.waiting > 0 || load.refused || now < self.sought_until
    }

    /// Returns the permits that the node may use while others queue.
    pub(super) fn turn(&self, now: u64) -> u32 {
        self.target + u32::from(now < self.quantum_end)
    }

    /// Tells whether somebody in the fleet wants more than there is.
    ///
    /// The target is below what the node wants also where nobody queues: after N was lowered all
    /// shares can be too large.
    pub(super) fn contended(&self) -> bool {
        !self.told.learning && (self.told.queued > 0 || self.target < self.told.want)
    }

    /// Returns the share that the node claims with the next message.
    pub(super) fn keep(&self, now: u64, load: Load) -> u32 {
        let want = self.want(now, load);
        let keep = if self.contended() {
            load.running.max(want.min(self.usable(now, load)))
        } else if self.asked {
            want
        } else {
            // Idle for a renewal: neither the last message wanted it nor this one does.
            let want = want.max(self.told.want);
            let spare = self.told.limit / self.told.nodes.max(1);
            if want == 0 { 0 } else { want.saturating_add(want / 4).max(spare) }
        };
        self.share(now).min(keep)
    }

    /// Returns the permits that the process has a use for while others queue.
    pub(super) fn usable(&self, now: u64, load: Load) -> u32 {
        if self.is_sought(now, load) { self.turn(now) } else { self.target }
    }
}
