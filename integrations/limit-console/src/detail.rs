//! One limiter in detail.

use crate::calls::{CallRow, Calls, PlaceRow, calls};
use crate::changes::LoggedChange;
use crate::console::Console;
use crate::deadlocks::DeadlockRow;
use crate::error::ApiError;
use crate::history::Series;
use crate::row::Row;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use limit_runtime::inspect::{KeyReading, busiest_keys};
use limit_runtime::settings::{SettingKind, SettingValue, SettingValues, ValueType};
use limit_runtime::{LimiterHandle, Snapshot};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most busy keys that are listed.
const KEYS: usize = 10;

#[derive(Deserialize)]
pub(crate) struct DetailQuery {
    name: String,
    /// The tick up to which the history is known.
    #[serde(default)]
    since: u64,
}

/// The answer. `openapi.json` describes the fields of this and the following types.
#[derive(Serialize)]
pub(crate) struct Detail {
    tick: u64,
    time: u64,
    limiter: Row,
    snapshot: Snapshot,
    /// The settings that can be changed.
    settable: Vec<&'static str>,
    history: Series,
    changes: Vec<LoggedChange>,
    keys: Vec<KeyRow>,
    /// `None` if calls are not recorded.
    holders: Option<Vec<CallRow>>,
    waiters: Option<Vec<CallRow>>,
    holder_places: Option<Vec<PlaceRow>>,
    waiter_places: Option<Vec<PlaceRow>>,
    deadlocks: Option<Vec<DeadlockRow>>,
}

#[derive(Serialize)]
struct KeyRow {
    key: String,
    in_use: usize,
    /// The key's permits in all runtimes in which it is in use.
    limit: usize,
    waiting: usize,
}

/// Shows one limiter.
pub(crate) async fn detail(
    wanted: Result<Query<DetailQuery>, QueryRejection>,
    State(console): State<Console>,
) -> Result<Json<Detail>, ApiError> {
    let Query(DetailQuery { name, since }) = wanted?;
    console.watch.start();
    console.watch.catch_up().await;
    let known = console.watch.find(&name, since).ok_or_else(|| ApiError::no_limiter(&name))?;
    let [holders, waiters] = calls(&known.handle).map(|calls| {
        calls.map_or((None, None), |Calls { listed, places }| (Some(listed), Some(places)))
    });
    let deadlocks = known.deadlocks.list(&name);
    Ok(Json(Detail {
        tick: known.tick,
        time: known.time,
        limiter: known.row,
        snapshot: known.handle.snapshot(),
        settable: settable(&known.handle),
        history: known.history,
        changes: known.changes,
        keys: busiest_keys(&known.handle, KEYS).into_iter().map(KeyRow::from).collect(),
        holders: holders.0,
        waiters: waiters.0,
        holder_places: holders.1,
        waiter_places: waiters.1,
        deadlocks,
    }))
}

impl From<KeyReading> for KeyRow {
    fn from(key: KeyReading) -> Self {
        Self { key: key.name, in_use: key.in_use, limit: key.limit, waiting: key.waiting }
    }
}

/// Lists the settings that this limiter lets be changed.
fn settable(handle: &LimiterHandle) -> Vec<&'static str> {
    let is_settable = |kind: &&SettingKind| {
        let value = match kind.value_type() {
            ValueType::Count { .. } | ValueType::CountOrRange { .. } => SettingValue::Count(1),
            ValueType::Duration | ValueType::DurationOrNever => {
                SettingValue::Duration(Duration::from_secs(1))
            }
            ValueType::Switch => SettingValue::Switch(true),
            // `limit-runtime` may be newer than this crate.
            _ => return false,
        };
        let mut values = SettingValues::default();
        values.set(**kind, value).is_ok() && handle.supports(&values).is_ok()
    };
    SettingKind::ALL.iter().filter(is_settable).map(|kind| kind.name()).collect()
}
