//! The rate at which permits have come back lately. It is used only when a call is refused.

use std::time::Duration;
use tokio::time::Instant;

/// The calls admitted at the times of earlier refusals. While calls are refused, as many are admitted
/// as give their permits back.
#[derive(Debug, Default)]
pub(super) struct ReleaseRate {
    earlier: Option<Checkpoint>,
    latest: Option<Checkpoint>,
}

#[derive(Clone, Copy, Debug)]
struct Checkpoint {
    at: Instant,
    /// Admitted calls, which wrap at 2³².
    admitted: u32,
}

/// The shortest time between two checkpoints.
const APART: Duration = Duration::from_secs(1);
/// The age at which a checkpoint no longer counts.
const RECENT: Duration = Duration::from_secs(10);

impl ReleaseRate {
    /// Estimates how long it takes until `calls` are served, at the rate since an earlier refusal.
    pub(super) fn time_for(
        &mut self,
        calls: usize,
        admitted: u32,
        now: Instant,
    ) -> Option<Duration> {
        let recent =
            |checkpoint: &Checkpoint| now.saturating_duration_since(checkpoint.at) <= RECENT;
        self.latest = self.latest.filter(recent);
        self.earlier = self.earlier.filter(recent);
        let checkpoint = self.earlier.or(self.latest);
        if self
            .latest
            .is_none_or(|checkpoint| now.saturating_duration_since(checkpoint.at) >= APART)
        {
            self.earlier = self.latest;
            self.latest = Some(Checkpoint { at: now, admitted });
        }
        let checkpoint = checkpoint?;
        let (returned, time) = (admitted.wrapping_sub(checkpoint.admitted), now - checkpoint.at);
        if returned == 0 || time.is_zero() {
            return None;
        }
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        Duration::try_from_secs_f64(time.as_secs_f64() * f64::from(calls) / f64::from(returned))
            .ok()
    }
}
