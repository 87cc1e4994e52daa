//! The figures of one limiter at one moment, for programs.

use super::{Counters, FleetFigures, Totals, Usage};
use crate::scope::Scope;
use crate::setting::Settings;
use std::sync::Arc;

/// The figures of one limiter at one moment. See [`inspect`](crate::inspect).
#[derive(Clone, Debug)]
#[non_exhaustive]
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
    /// The calls that wait.
    pub waiting: usize,
}

impl KeyReading {
    pub(crate) fn new(name: String, in_use: usize, waiting: usize) -> Self {
        Self { name, in_use, waiting }
    }
}
