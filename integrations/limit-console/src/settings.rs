//! Changes of settings, by the page or by another program that has the token.

mod body;
mod value;
mod wanted;

use crate::changes::LoggedChange;
use crate::console::Console;
use crate::error::ApiError;
use crate::row::{self, Row};
use crate::watch::Changing;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, StatusCode};
use limit_runtime::settings::{SettingKind, SettingValue, SettingValues};
use limit_runtime::{LimiterHandle, Source, Unsupported, inspect};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use wanted::Wanted;

#[derive(Serialize)]
pub(crate) struct Changed {
    limiter: Row,
    changes: Vec<LoggedChange>,
    /// The body of the request that takes the change back.
    undo: Map<String, Value>,
}

/// Changes a limiter: all that is wanted, or nothing.
pub(crate) async fn change(
    State(console): State<Console>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Changed>, ApiError> {
    // First of all: a request that may not write learns nothing else.
    console.access.check_write(&headers)?;
    let wanted = Wanted::from_json(&body::whole(&headers, body)?)?;
    let (values, author) = (wanted.values, wanted.author(&extensions)?);
    console.watch.start();
    let _one_after_another = console.watch.changing.lock().await;
    let no_limiter = || ApiError::no_limiter(&wanted.name);
    let known = console.watch.find(&wanted.name, u64::MAX).ok_or_else(no_limiter)?;
    let handle = &known.handle;
    // Before a pause begins or ends, which cannot be undone without a trace.
    handle.supports(&values)?;
    if !wanted.key_limits.is_empty() {
        handle.supports_key_limits()?;
    }
    let changing = Changing::begin(&console.watch, &known);
    let before = (handle.live_values(), live_key_limits(handle));
    if wanted.reset {
        changing.record_before_pause(None);
        handle.reset();
    } else if wanted.paused == Some(false) {
        resume(&changing, handle)?;
    } else if wanted.paused == Some(true) || values.get(SettingKind::Limit) == Some(PAUSED) {
        pause(&changing, handle)?;
    }
    for kind in wanted.unset {
        if kind == SettingKind::Limit {
            changing.record_before_pause(None);
        }
        handle.unset(kind);
    }
    if !values.is_empty() {
        handle.apply(&values)?;
    }
    for (key, limit) in &wanted.key_limits {
        handle.set_key_limit(key, *limit)?;
    }
    let undo = undo(handle.name(), &before, &(handle.live_values(), live_key_limits(handle)));
    let (limiter, changes) = changing.end(&author).ok_or_else(no_limiter)?;
    for LoggedChange { setting, from, to, source, .. } in &changes {
        tracing::info!(
            target: "limit_console",
            limiter = handle.name(),
            setting,
            from,
            to,
            source = source.as_str(),
            by = author,
            "changed by the console"
        );
    }
    Ok(Json(Changed { limiter, changes, undo }))
}

/// Returns the limits of single keys that were set while running, of the keys that a request can name.
fn live_key_limits(handle: &LimiterHandle) -> BTreeMap<String, usize> {
    let limits = handle.key_limits().into_iter();
    let live = limits.filter(|known| known.source == Source::Live && known.has_text);
    live.map(|known| (known.key, known.limit)).collect()
}

/// The settings that were changed while running.
type Live = (SettingValues, BTreeMap<String, usize>);

/// Returns the request that leads back to the values that were set while running before a change.
fn undo(name: &str, before: &Live, after: &Live) -> Map<String, Value> {
    let ((before, keys_before), (after, keys_after)) = (before, after);
    let changed = SettingKind::ALL.iter().filter(|kind| before.get(**kind) != after.get(**kind));
    let (mut request, mut unset) = (Map::new(), Vec::new());
    request.insert("name".to_owned(), name.into());
    for kind in changed {
        match before.get(*kind) {
            Some(value) => {
                request.insert(kind.name().to_owned(), value::write(*kind, value));
            }
            None => unset.push(kind.name().into()),
        }
    }
    if !unset.is_empty() {
        request.insert("unset".to_owned(), Value::Array(unset));
    }
    let keys = keys_before.keys().chain(keys_after.keys());
    let changed = keys.filter(|&key| keys_before.get(key) != keys_after.get(key));
    let limits: Map<_, _> =
        changed.map(|key| (key.clone(), keys_before.get(key).copied().into())).collect();
    if !limits.is_empty() {
        request.insert("key_limits".to_owned(), Value::Object(limits));
    }
    request
}

/// The limit of a paused limiter.
const PAUSED: SettingValue = SettingValue::Count(0);

/// Pauses a limiter: every call waits.
fn pause(changing: &Changing, handle: &LimiterHandle) -> Result<(), ApiError> {
    if !is_paused(handle) {
        changing.record_before_pause(handle.live_values().get(SettingKind::Limit));
    }
    Ok(set_live_limit(handle, Some(PAUSED))?)
}

/// Gives a limiter the limit back that it had before a pause.
fn resume(changing: &Changing, handle: &LimiterHandle) -> Result<(), ApiError> {
    let is_live = handle.live_values().get(SettingKind::Limit) == Some(PAUSED);
    if is_live {
        set_live_limit(handle, changing.before_pause())?;
    }
    if is_paused(handle) {
        if is_live {
            set_live_limit(handle, Some(PAUSED))?;
        }
        let text = "the limit is 0, and not by the console: set another one";
        return Err(ApiError::new(StatusCode::CONFLICT, text));
    }
    Ok(())
}

/// Sets the limit while running, or takes it back.
fn set_live_limit(handle: &LimiterHandle, limit: Option<SettingValue>) -> Result<(), Unsupported> {
    let Some(limit) = limit else {
        handle.unset(SettingKind::Limit);
        return Ok(());
    };
    let mut values = SettingValues::default();
    // This limit has been in force.
    let is_set = values.set(SettingKind::Limit, limit);
    debug_assert!(is_set.is_ok(), "{is_set:?}");
    handle.apply(&values)
}

fn is_paused(handle: &LimiterHandle) -> bool {
    let reading = inspect::read(handle);
    !reading.is_dropped && row::is_paused(&reading.settings)
}
