//! The rate at which permits have come back lately. It is used only when somebody asks a refusal when to try
//! again.
//!
//! No call that is admitted or refused looks at the clock for it. A *checkpoint* is made when the semaphore is
//! bound, and when somebody asks. While calls are refused all permits are out, so as many calls are admitted as
//! give their permits back. The calls since a checkpoint of the last seconds give the rate.
//!
//! The first refusal after a time without refusals finds only a checkpoint that is old. The average since then is
//! a lower bound of the rate: by Little's law the rate is the mean number of holders, divided by the mean
//! time that a call holds its permit (J. D. C. Little, *A Proof for the Queuing Formula L = λW*, 1961). No average has more
//! holders than a moment at which all permits are out. So an estimate from an old checkpoint is too long
//! rather than too short, and much too long if calls were few. It counts if it is short all the same.

use std::time::Duration;
use tokio::time::Instant;

/// The figures at the bind and at the times when somebody asked.
#[derive(Debug, Default)]
pub(super) struct ReleaseRate {
    earlier: Option<Checkpoint>,
    latest: Option<Checkpoint>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Checkpoint {
    pub(super) at: Instant,
    /// Admitted calls, which wrap at 2³².
    pub(super) admitted: u32,
    /// Permits that were out.
    pub(super) in_use: u32,
}

/// Calls that are to be served. All are taken to want as many permits as the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    pub(super) calls: u32,
    pub(super) weight: u32,
}

/// The shortest time between two checkpoints.
const APART: Duration = Duration::from_secs(1);
/// The age at which a checkpoint is old.
const RECENT: Duration = Duration::from_secs(10);
/// The longest estimate that counts if the checkpoint is old.
const SHORT: Duration = Duration::from_secs(1);

impl ReleaseRate {
    /// Begins with the figures of a semaphore that is bound.
    pub(super) fn since(start: Checkpoint) -> Self {
        Self { earlier: None, latest: Some(start) }
    }

    /// Estimates how long it takes until calls are served. Makes a checkpoint of `now`, if the last one is not
    /// too near.
    pub(super) fn time_for(&mut self, served: Served, now: Checkpoint) -> Option<Duration> {
        let estimate = self.recent(served, &now).or_else(|| self.average(served, &now));
        if self.latest.is_none_or(|latest| latest.age(&now) >= APART) {
            self.earlier = self.latest;
            self.latest = Some(now);
        }
        estimate
    }

    /// Estimates by the calls of the last seconds.
    fn recent(&self, served: Served, now: &Checkpoint) -> Option<Duration> {
        let recent = |checkpoint: &Checkpoint| checkpoint.age(now) <= RECENT;
        let mut recent = [self.earlier, self.latest].into_iter().flatten().filter(recent);
        recent.find_map(|checkpoint| checkpoint.time_for(served, now))
    }

    /// Estimates by the average since an old checkpoint.
    fn average(&self, served: Served, now: &Checkpoint) -> Option<Duration> {
        let is_old = |checkpoint: &Checkpoint| checkpoint.age(now) > RECENT;
        let (latest, earlier) = (self.latest?, self.earlier.filter(is_old));
        // Nothing has come back since a checkpoint that is not old.
        let silence = if is_old(&latest) { Duration::ZERO } else { latest.age(now) };
        let old = Some(latest).filter(is_old).or(earlier)?;
        old.time_for(served, now).filter(|time| (silence..=SHORT).contains(time))
    }
}

impl Checkpoint {
    fn age(&self, now: &Self) -> Duration {
        now.at.saturating_duration_since(self.at)
    }

    /// Estimates how long it takes until calls are served, at the rate since then. Returns `None` if nothing has
    /// come back.
    fn time_for(&self, served: Served, now: &Self) -> Option<Duration> {
        // Calls that hold more permits than were out then have not given them back.
        let more = now.in_use.saturating_sub(self.in_use) / served.weight.max(1);
        let returned = now.admitted.wrapping_sub(self.admitted).saturating_sub(more);
        let time = self.age(now);
        if returned == 0 || time.is_zero() {
            return None;
        }
        let calls = f64::from(served.calls);
        Duration::try_from_secs_f64(time.as_secs_f64() * calls / f64::from(returned)).ok()
    }
}
