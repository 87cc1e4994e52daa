//! The knob: settings that are changed by the page, or by whoever has the token.

use super::api::{Console, no_such};
use super::change::Change;
use super::guard::Refusal;
use super::rows::Row;
use super::watch::Changing;
use crate::limiter::Entry;
use crate::limiter::settings::Values;
use crate::semaphore::MAX_LIMIT;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// What is to be changed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    name: String,
    by: Option<String>,
    limit: Option<u64>,
    max_waiting: Option<u64>,
    /// In seconds.
    max_wait: Option<f64>,
    enabled: Option<bool>,
    shadow: Option<bool>,
    paused: Option<bool>,
    #[serde(default)]
    reset: bool,
}

#[derive(Serialize)]
pub(super) struct Changed {
    limiter: Row,
    changes: Vec<Change>,
}

/// Sets what is wanted, all of it or nothing.
pub(super) async fn change(
    State(console): State<Console>,
    headers: HeaderMap,
    extensions: Extensions,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Json<Changed>, Refusal> {
    // First: who may not write is told nothing else.
    console.access.may_write(&headers)?;
    let Json(wanted) =
        wanted.map_err(|rejection| Refusal(rejection.status(), rejection.body_text()))?;
    let (values, who) = (wanted.values()?, wanted.who(&extensions)?);
    console.watch.start();
    let _one_after_another = console.watch.changing.lock().await;
    let known = console.watch.of(&wanted.name, u64::MAX).ok_or_else(|| no_such(&wanted.name))?;
    let entry = known.entry;
    entry
        .supports(&values)
        .map_err(|error| Refusal::new(StatusCode::CONFLICT, error.to_string()))?;
    let changing = console.watch.changing(&entry);
    if wanted.reset {
        changing.pausing(None);
        entry.set(|live| *live = Values::default());
    } else if wanted.paused == Some(false) {
        go_on(&changing, &entry)?;
    } else if wanted.paused == Some(true) || values.limit == Some(0) {
        pause(&changing, &entry);
    }
    if values != Values::default() {
        entry.set(|live| values.override_in(live));
    }
    let (limiter, changes) = changing.by(&who).ok_or_else(|| no_such(&wanted.name))?;
    for Change { setting, from, to, source, .. } in &changes {
        tracing::info!(
            limiter = &*entry.name,
            setting,
            from,
            to,
            source = source.as_str(),
            by = who,
            "changed by the console"
        );
    }
    Ok(Json(Changed { limiter, changes }))
}

/// Has everybody wait.
fn pause(changing: &Changing, entry: &Entry) {
    if !is_paused(entry) {
        changing.pausing(entry.live_limit());
    }
    entry.set(|live| live.limit = Some(0));
}

/// Back to the limit that there was before a pause.
fn go_on(changing: &Changing, entry: &Entry) -> Result<(), Refusal> {
    let before = changing.before_pause();
    let was_live = entry.live_limit() == Some(0);
    if was_live {
        entry.set(|live| live.limit = before);
    }
    if is_paused(entry) {
        if was_live {
            entry.set(|live| live.limit = Some(0));
        }
        let what = "the limit is 0, and not by the console: set another one";
        return Err(Refusal::new(StatusCode::CONFLICT, what));
    }
    Ok(())
}

fn is_paused(entry: &Entry) -> bool {
    entry.look().is_some_and(|look| look.settings.limit.value == 0)
}

impl Wanted {
    fn values(&self) -> Result<Values, Refusal> {
        let bad = |what| Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, what));
        let Self { enabled, shadow, .. } = *self;
        let mut values = Values { enabled, shadow, ..Values::default() };
        if let Some(limit) = self.limit {
            let limit = u32::try_from(limit).ok().filter(|limit| *limit <= MAX_LIMIT);
            values.limit = limit;
            if limit.is_none() {
                return bad(format!("`limit`: at most {MAX_LIMIT}"));
            }
        }
        // As with the setters: more than there can be is any number.
        values.max_waiting = self.max_waiting.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
        if let Some(seconds) = self.max_wait {
            match Duration::try_from_secs_f64(seconds) {
                Ok(wait) => values.max_wait = Some(wait),
                Err(error) => return bad(format!("`max_wait`, in seconds: {error}")),
            }
        }
        let sets = values != Values::default();
        if self.reset && (sets || self.paused.is_some()) {
            return bad("`reset` takes all back, and goes with no other setting".to_owned());
        }
        if self.limit.is_some() && self.paused.is_some() {
            return bad("`paused` is about the limit: it does not go with `limit`".to_owned());
        }
        if !sets && !self.reset && self.paused.is_none() {
            let all =
                "`limit`, `max_waiting`, `max_wait`, `enabled`, `shadow`, `paused` or `reset`";
            return bad(format!("nothing is to be changed: give one of {all}"));
        }
        Ok(values)
    }

    /// Who is it: as they say, and from where if that is known.
    fn who(&self, extensions: &Extensions) -> Result<String, Refusal> {
        const LONGEST: usize = 64;
        let by = self.by.as_deref().map(str::trim).filter(|by| !by.is_empty());
        if by.is_some_and(|by| by.chars().count() > LONGEST || by.chars().any(is_no_text)) {
            let what = format!("`by`: at most {LONGEST} characters, in one line");
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, what));
        }
        let from = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(from)| from.ip());
        Ok(match (by, from) {
            (Some(by), Some(from)) => format!("{by} ({from})"),
            (Some(by), None) => by.to_owned(),
            (None, Some(from)) => format!("console ({from})"),
            (None, None) => "console".to_owned(),
        })
    }
}

/// What ends a line, or has a text read in another order than it stands there.
fn is_no_text(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
