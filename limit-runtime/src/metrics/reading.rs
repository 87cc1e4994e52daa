//! The figures of one limiter at one moment, for programs.

use super::{Counters, Totals, Usage};
use crate::scope::Scope;
use crate::setting::Settings;
use std::sync::Arc;

/// The figures of one limiter at one moment. See [`inspect`](crate::inspect).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LimiterReading {
    /// The limiter's name.
    pub name: Arc<str>,
    /// A number that no other limiter of the process has or will have: it tells a limiter from the next one
    /// of the same name.
    pub id: u64,
    /// Whether the limiter was dropped. Nothing is in use then, and the totals stay as they are.
    pub is_dropped: bool,
    /// What the permits are shared by.
    pub scope: Scope,
    /// The settings in force.
    pub settings: Settings,
    /// Whether the limiter is closed.
    pub is_closed: bool,
    /// Whether the limit holds for each key.
    pub is_keyed: bool,
    /// The use of all runtimes together. The limit is that of one runtime.
    pub usage: Usage,
    /// The number of runtimes that live and have used the limiter.
    pub live_runtimes: usize,
    /// The permits of these runtimes together. Of no meaning with keys.
    pub capacity: usize,
    /// The counters of the limiter's name, of all runtimes, those that have ended too. They never go back.
    pub totals: Totals,
    /// The part of the totals that was counted by limiters that had the name before this one.
    pub inherited: Option<Arc<Totals>>,
    /// The figures of each runtime that lives and has used the limiter, by its number. Last those of the
    /// runtimes that have ended.
    pub by_runtime: Vec<RuntimeReading>,
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
    /// The use. Runtimes that have ended have no limit: it is 0.
    pub usage: Usage,
    /// The calls, counted for this limiter and no other of its name.
    pub counters: Counters,
}

/// The figures of one key of a limiter, in all runtimes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReading {
    /// The key itself if it is a text, a number or an address; else its type and its hash.
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
