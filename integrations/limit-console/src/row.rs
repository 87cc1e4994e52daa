//! A limiter's row in the table of all limiters.

use crate::adaptive::Adaptive;
use crate::age::Age;
use crate::by_kind::ByKind;
use crate::oldest::Holder;
use crate::seconds::Seconds;
use limit_runtime::inspect::{KeyReading, LimiterReading};
use limit_runtime::settings::{SettingKind, SettingValue, Settings};
use limit_runtime::{FleetFigures, LedgerFigures, Order, Scope, Source};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// A limiter's row in the table. `openapi.json` describes the fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "as a reader of the JSON expects it")]
pub(crate) struct Row {
    pub(crate) name: Arc<str>,
    pub(crate) limit: usize,
    /// The permits in all runtimes; `None` with keys.
    pub(crate) capacity: Option<usize>,
    pub(crate) in_use: usize,
    /// The permits that a ramp does not let in yet, in all runtimes.
    pub(crate) withheld: usize,
    pub(crate) waiting: usize,
    /// The keys in use; `None` without keys.
    pub(crate) keys: Option<usize>,
    /// The limit over all keys; `None` if there is none.
    pub(crate) total: Option<usize>,
    /// The key that is worst off.
    pub(crate) worst_key: Option<WorstKey>,
    /// The keys at their limit; `None` without keys.
    pub(crate) full_keys: Option<usize>,
    pub(crate) runtimes: usize,
    pub(crate) scope: Scope,
    pub(crate) order: Order,
    /// A call that would wait for too long is refused at once.
    pub(crate) early: bool,
    /// The window of a rate.
    pub(crate) per: Option<Seconds>,
    /// The time in which the limit rises after a start.
    pub(crate) ramp: Option<Seconds>,
    /// The figures of a limit that adapts.
    pub(crate) adaptive: Option<Adaptive>,
    /// The limit over the fleet. `None` without a fleet.
    pub(crate) fleet: Option<FleetUse>,
    /// Calls admitted a second.
    pub(crate) admitted: f64,
    /// Calls refused a second.
    pub(crate) rejected: ByKind<f32>,
    /// Calls cancelled a second.
    pub(crate) cancelled: f64,
    /// The wait that half of the calls do not exceed. Waits that go on count. It grows while `stalled` grows.
    pub(crate) p50: Option<Age>,
    /// The wait that 99 of 100 calls do not exceed.
    pub(crate) p99: Option<Age>,
    /// The wait of the oldest call that waits.
    pub(crate) oldest_wait: Option<Age>,
    /// The time since a call was admitted, if calls wait and should not.
    pub(crate) stalled: Option<Age>,
    pub(crate) oldest_holder: Option<Holder>,
    /// The source of the limit.
    pub(crate) source: Source,
    pub(crate) enabled: bool,
    pub(crate) shadow: bool,
    pub(crate) closed: bool,
    pub(crate) paused: bool,
    pub(crate) warnings: usize,
    /// `true` if the limiter is part of a deadlock.
    pub(crate) deadlock: bool,
    /// The permits in use at the last ticks. Only in a list of all limiters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spark: Option<Vec<u32>>,
}

/// Returns whether somebody has set the limit to 0. A limit that adapts is 0 while new calls are held off.
pub(crate) fn is_paused(settings: &Settings) -> bool {
    settings.get(SettingKind::Limit).value == Some(SettingValue::Count(0))
}

/// Returns the time since a call was admitted. A reader of the JSON tells by the figure, which has tenths, whether it grows:
/// while the window of a rate or a ramp may keep calls waiting, it is 0 and does not.
fn stalled(time: Duration) -> Age {
    if time.is_zero() { Age::constant(time) } else { Age::growing(time).in_tenths() }
}

/// The key that is worst off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct WorstKey {
    key: String,
    in_use: usize,
    limit: usize,
    waiting: usize,
}

impl From<&KeyReading> for WorstKey {
    fn from(key: &KeyReading) -> Self {
        let KeyReading { name, in_use, limit, waiting, .. } = key;
        Self { key: name.clone(), in_use: *in_use, limit: *limit, waiting: *waiting }
    }
}

/// The use of a limit over a fleet: of the limiter, or of its keys together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct FleetUse {
    in_use: usize,
    limit: usize,
    nodes: usize,
    /// The number of keys with a ledger. `None` if there is a ledger for the limiter.
    keys: Option<usize>,
}

impl FleetUse {
    /// Returns `None` if there is no ledger.
    fn from_figures(figures: &FleetFigures) -> Option<Self> {
        let ledgers = &figures.ledgers;
        let of = |ledger: &LedgerFigures| Self {
            in_use: ledger.in_use,
            limit: ledger.limit,
            nodes: ledger.nodes,
            keys: None,
        };
        if let Some(whole) = ledgers.iter().find(|ledger| ledger.key.is_none()) {
            return Some(of(whole));
        }
        let all = ledgers.iter().map(of).reduce(|all, one| Self {
            in_use: all.in_use + one.in_use,
            limit: all.limit.saturating_add(one.limit),
            nodes: all.nodes.max(one.nodes),
            keys: None,
        })?;
        Some(Self { keys: Some(ledgers.len()), ..all })
    }
}

impl Row {
    /// Makes a row of a reading. Figures that need two readings are 0 or `None`, and no deadlock and no holder is known.
    pub(crate) fn from_reading(reading: &LimiterReading) -> Self {
        let LimiterReading { settings, usage, is_keyed, .. } = reading;
        Self {
            name: Arc::clone(&reading.name),
            limit: settings.limit.value,
            capacity: (!is_keyed).then_some(reading.capacity),
            in_use: usage.in_use,
            withheld: usage.withheld,
            waiting: usage.waiting,
            keys: is_keyed.then_some(usage.keys),
            total: usage.total,
            worst_key: reading.worst_key.as_ref().map(WorstKey::from),
            full_keys: is_keyed.then_some(reading.full_keys),
            runtimes: reading.live_runtimes,
            scope: reading.scope,
            order: reading.order,
            early: reading.early,
            per: reading.per.map(Seconds::exactly),
            ramp: reading.ramp.map(Seconds::exactly),
            adaptive: Adaptive::from_reading(reading),
            fleet: reading.fleet.as_ref().and_then(FleetUse::from_figures),
            admitted: 0.0,
            rejected: ByKind::default(),
            cancelled: 0.0,
            p50: None,
            p99: None,
            oldest_wait: reading.oldest_wait().map(|wait| Age::growing(wait).in_tenths()),
            stalled: reading.usage.stalled.map(stalled),
            oldest_holder: None,
            source: settings.limit.source,
            enabled: settings.enabled.value,
            shadow: settings.shadow.value,
            closed: reading.is_closed,
            paused: is_paused(settings),
            warnings: reading.warnings,
            deadlock: false,
            spark: None,
        }
    }

    /// Keeps the moments of the row before, where they are the same.
    pub(crate) fn keep_moments(&mut self, before: &Self) {
        let keep = |age: &mut Option<Age>, before, parts| {
            if let Some(age) = age {
                age.keep_moment(before, parts);
            }
        };
        keep(&mut self.p50, before.p50, Some(8));
        keep(&mut self.p99, before.p99, Some(8));
        keep(&mut self.oldest_wait, before.oldest_wait, None);
        keep(&mut self.stalled, before.stalled, None);
        if let Some(holder) = &mut self.oldest_holder {
            let before = before.oldest_holder.as_ref().map(|before| before.age);
            holder.age.keep_moment(before, None);
        }
    }
}
