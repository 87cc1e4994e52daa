//! The part of a fleet that the core calls.

use super::figures::Board;
use limit_runtime::fleet::Agent;
use limit_runtime::{FleetFigures, LimiterHandle};
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedSender;

/// The part of a fleet that the core calls.
pub(super) struct FleetAgent {
    pub(super) wakes: UnboundedSender<LimiterHandle>,
    pub(super) board: Arc<Board>,
}

impl Agent for FleetAgent {
    fn wake(&self, limiter: &LimiterHandle) {
        // Unbounded, but each lease wakes once until its task has looked at it. It fails after the thread
        // has ended: `fleet::stop` follows at once.
        let _ended = self.wakes.send(limiter.clone());
    }

    fn figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.board.figures(limiter)
    }

    fn brief_figures(&self, limiter: &str) -> Option<FleetFigures> {
        self.board.brief_figures(limiter)
    }
}

impl fmt::Debug for FleetAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetAgent").finish_non_exhaustive()
    }
}
