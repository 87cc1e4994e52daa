//! Without the feature `fleet` nobody can lease permits.

use super::Engine;
use super::state::EngineState;
use crate::metrics::FleetFigures;
use crate::semaphore::Semaphore;

#[expect(clippy::unused_self, reason = "as with the feature")]
impl Engine {
    pub(super) fn limits_to_bind(
        &self,
        _: &mut EngineState,
        _: &Semaphore,
        limits: (u32, u32),
    ) -> (u32, u32) {
        limits
    }

    pub(crate) fn fleet_figures(&self) -> Option<FleetFigures> {
        None
    }

    #[cfg(feature = "inspect")]
    pub(super) fn brief_fleet_figures(&self) -> Option<FleetFigures> {
        None
    }
}
