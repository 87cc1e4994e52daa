//! The figures of one limiter at one moment, for programs.

use super::{
    AdaptiveFigures, Counters, FleetFigures, Histogram, KeyLimit, ShareFigures, Totals, Usage,
};
use crate::policy::Order;
use crate::scope::Scope;
use crate::setting::Settings;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

/// The figures of one limiter at one moment. See [`inspect`](crate::inspect).
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and readers want them by name"
)]
pub struct LimiterReading {
    /// The limiter's name.
    pub name: Arc<str>,
    /// A number that no other limiter of the process has, now or later. It distinguishes a limiter
    /// from the next one with the same name.
    pub id: u64,
    /// `true` if the limiter was dropped. Nothing is in use then, and the totals no longer change.
    pub is_dropped: bool,
    /// The calls that share the permits.
    pub scope: Scope,
    /// The settings in force.
    pub settings: Settings,
    /// The order in which waiters are served.
    pub order: Order,
    /// `true` if a call that would wait for too long is refused at once: see [`Limiter::early`](crate::Limiter::early).
    pub early: bool,
    /// The window of a rate: a permit does not come back until this time after its start.
    pub per: Option<Duration>,
    /// The time in which the limit rises from one permit after a start: see [`Limiter::ramp`](crate::Limiter::ramp).
    pub ramp: Option<Duration>,
    /// `true` if the limiter is closed.
    pub is_closed: bool,
    /// `true` if the limit holds for each key.
    pub is_keyed: bool,
    /// The use in all runtimes together. The limit is that of one runtime.
    pub usage: Usage,
    /// The number of live runtimes that have used the limiter.
    pub live_runtimes: usize,
    /// The sum of these runtimes' permits. It has no meaning with keys.
    pub capacity: usize,
    /// The key that is worst off: it has the most waiters, or if no key has any, it is nearest to its limit. `None`
    /// without keys, and if none is in use. A key's figures are those of one runtime.
    pub worst_key: Option<KeyReading>,
    /// The number of keys whose permits are all out. With [`per`](Self::per), a permit whose window is not over
    /// counts as out. A key counts once for each runtime.
    pub full_keys: usize,
    /// The waits that go on: the time for which each call that waits has waited so far. `None` if there is none. A
    /// wait is taken to begin at the reading that first sees it, by any reader, so it is too short by at most the
    /// time between two readings. That first reading does not count it. Nor does any reading count a call whose
    /// grant was taken back.
    pub ongoing_waits: Option<Box<Histogram>>,
    /// The figures of a limit that [adapts](crate::Limiter::adaptive), in the live runtime where it is the largest.
    /// `None` if the limit does not adapt, and before the first call.
    pub adaptive: Option<AdaptiveFigures>,
    /// The figures of each [share](crate::Limiter::shares), and last of the calls that have none. The counts are those
    /// of this limiter, without those of earlier ones with this name. Without shares it is empty.
    pub shares: Vec<ShareFigures>,
    /// The keys that have [limits of their own](crate::KeyedLimiter::set_key_limit), by name.
    pub key_limits: Vec<KeyLimit>,
    /// The counters of the limiter's name in all runtimes, also in those that have ended. They do not
    /// go back, unless more than a thousand other names were dropped since the last limiter of this name.
    pub totals: Totals,
    /// The part of the totals that earlier limiters with this name have counted.
    pub inherited: Option<Arc<Totals>>,
    /// The figures of each live runtime that has used the limiter, by number. The last entry is for
    /// all runtimes that have ended.
    pub by_runtime: Vec<RuntimeReading>,
    /// The figures of the limit over the fleet, without the members. `None` unless the scope
    /// is [`Scope::Fleet`] and a fleet was started.
    pub fleet: Option<FleetFigures>,
    /// The number of [warnings](crate::Snapshot::warnings).
    pub warnings: usize,
}

/// The figures of a limiter in one runtime.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeReading {
    /// The number of the runtime, as in a [`RuntimeSnapshot`](crate::RuntimeSnapshot). `None` stands for all
    /// runtimes that have ended.
    pub runtime: Option<u64>,
    /// The use of permits. For ended runtimes the limit is 0.
    pub usage: Usage,
    /// The counts of this limiter's calls, without those of earlier limiters with this name.
    pub counters: Counters,
}

/// The figures of one key of a limiter, in all runtimes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReading {
    /// The key itself if it is a text, a number or an address, or else its type and its hash.
    pub name: String,
    /// The permits that are out.
    pub in_use: usize,
    /// The key's permits. In a fleet it is the share of this process. Over several runtimes it is the sum of those in
    /// which the key is in use.
    pub limit: usize,
    /// The calls that wait.
    pub waiting: usize,
}

/// The figures of a limiter's keys.
#[derive(Debug, Default)]
pub(crate) struct KeysReading {
    pub(crate) worst: Option<(KeyUse, String)>,
    /// The keys whose permits are all out.
    pub(crate) full: usize,
}

impl LimiterReading {
    /// Returns the time for which the oldest call that waits has waited so far, since the first reading that saw it.
    /// `None` if no call waits.
    #[must_use]
    pub fn oldest_wait(&self) -> Option<Duration> {
        let longest = self.ongoing_waits.as_ref().map(|waits| waits.times().max);
        (self.usage.waiting > 0).then(|| longest.unwrap_or_default())
    }
}

/// The figures of a key, without its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUse {
    pub(crate) waiting: usize,
    pub(crate) in_use: usize,
    pub(crate) limit: usize,
}

impl KeyUse {
    /// Compares two keys. The greater one is worse off.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        // As fractions: the key with more of its permits out is worse off. A limit has 31 bits.
        let used = |one: &Self, other: &Self| one.in_use as u64 * other.limit as u64;
        let by_waiters = self.waiting.cmp(&other.waiting);
        let by_share = used(self, other).cmp(&used(other, self));
        by_waiters.then(by_share).then(self.in_use.cmp(&other.in_use))
    }
}

impl KeyReading {
    pub(crate) fn new(name: String, usage: KeyUse) -> Self {
        let KeyUse { waiting, in_use, limit } = usage;
        Self { name, in_use, limit, waiting }
    }
}
