//! One limiter in detail.

use crate::calls::CallRow;
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
use limit_runtime::{LimiterHandle, Snapshot};
use serde::{Deserialize, Serialize};

/// The most busy keys that are listed.
const KEYS: usize = 10;
/// The most holders that are listed, and the most waiters.
#[cfg(feature = "diagnostics")]
const CALLS: usize = 50;

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
    history: Series,
    changes: Vec<LoggedChange>,
    keys: Vec<KeyRow>,
    /// `None` if calls are not recorded.
    holders: Option<Vec<CallRow>>,
    waiters: Option<Vec<CallRow>>,
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
    let [holders, waiters] = calls(&known.handle);
    let deadlocks = known.deadlocks.list(&name);
    Ok(Json(Detail {
        tick: known.tick,
        time: known.time,
        limiter: known.row,
        snapshot: known.handle.snapshot(),
        history: known.history,
        changes: known.changes,
        keys: busiest_keys(&known.handle, KEYS).into_iter().map(KeyRow::from).collect(),
        holders,
        waiters,
        deadlocks,
    }))
}

impl From<KeyReading> for KeyRow {
    fn from(key: KeyReading) -> Self {
        Self { key: key.name, in_use: key.in_use, limit: key.limit, waiting: key.waiting }
    }
}

/// Lists the calls that hold permits and those that wait, if calls are recorded.
#[cfg(feature = "diagnostics")]
fn calls(handle: &LimiterHandle) -> [Option<Vec<CallRow>>; 2] {
    if !limit_runtime::diagnostics::is_recording() {
        return [None, None];
    }
    let calls = [handle.oldest_holders(CALLS), handle.oldest_waiters(CALLS)];
    calls.map(|calls| Some(calls.iter().map(CallRow::from).collect()))
}

#[cfg(not(feature = "diagnostics"))]
fn calls(_: &LimiterHandle) -> [Option<Vec<CallRow>>; 2] {
    [None, None]
}
