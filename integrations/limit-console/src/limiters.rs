//! What is served where.

use super::change::Change;
use super::events::{events, happens};
use super::guard::{Refusal, guard};
use super::history::Series;
use super::knob::change;
use super::options::Access;
use super::rows::Row;
use super::watch::{Until, Watch};
use crate::limiter::{Entry, LimiterHandle};
use crate::metrics::Snapshot;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, OriginalUri, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fmt::Write;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many pages and other readers may follow at a time.
const FOLLOWERS: usize = 64;

/// Of the busiest keys so many are shown, and of the holders and waiters.
const KEYS: usize = 10;
const CALLS: usize = 50;

#[derive(Clone)]
pub(super) struct Console {
    pub(super) access: Arc<Access>,
    pub(super) watch: Arc<Watch>,
    followers: Arc<Semaphore>,
}

pub(super) fn router(access: Arc<Access>, watch: Arc<Watch>) -> Router {
    let followers = Arc::new(Semaphore::new(FOLLOWERS));
    let console = Console { access: Arc::clone(&access), watch, followers };
    Router::new()
        .route("/", get(page))
        .route("/console.css", get(css))
        .route("/console.js", get(script))
        .route("/icon.svg", get(icon))
        .route("/openapi.json", get(openapi))
        .route("/api/limiters", get(limiters))
        .route("/api/stream", get(follow))
        .route("/api/limiter", get(limiter))
        .route("/api/events", get(events))
        .route("/api/settings", post(change))
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(middleware::from_fn_with_state(access, guard))
        .with_state(console)
}

/// The page, wherever it is. What it needs is named relative to it, so that it is found behind a proxy too:
/// from `/limits`, where `nest` has it, as `limits/console.js`; from `/limits/` as `console.js`.
async fn page(OriginalUri(uri): OriginalUri) -> Response {
    let (_, last) = uri.path().rsplit_once('/').unwrap_or_default();
    let folder = if last.is_empty() { String::new() } else { format!("./{}/", in_attribute(last)) };
    let mut html = include_str!("page/index.html").to_owned();
    for file in ["console.css", "console.js", "icon.svg"] {
        html = html.replace(&format!("\"{file}\""), &format!("\"{folder}{file}\""));
    }
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}

/// A part of a path, such that nothing in it ends an attribute of HTML.
fn in_attribute(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    path.bytes().fold(String::new(), |mut text, byte| {
        if is_plain(byte) {
            text.push(byte.into());
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

async fn css() -> Response {
    file("text/css; charset=utf-8", include_str!("page/console.css"))
}

async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("page/console.js"))
}

async fn icon() -> Response {
    file("image/svg+xml", include_str!("page/icon.svg"))
}

async fn openapi() -> Response {
    file("application/json", include_str!("openapi.json"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}

async fn nothing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is nothing here; see `openapi.json`")
}

async fn other_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method; see `openapi.json`")
}

async fn limiters(State(console): State<Console>) -> Result<Response, Refusal> {
    let mut ticks = console.follow();
    console.watch.catch_up().await;
    // The first tick is under way.
    console
        .watch
        .next(&mut ticks, 0)
        .await
        .ok_or_else(|| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the console has ended"))?;
    Ok(Json(console.watch.all(console.is_writable())).into_response())
}

#[derive(Deserialize)]
struct Followed {
    /// The limiter of which the events are to be among the rest.
    events: Option<String>,
}

/// All at first, and from then on what has changed; and what happens at one limiter, if that is asked for.
async fn follow(
    followed: Result<Query<Followed>, QueryRejection>,
    State(console): State<Console>,
) -> Result<impl IntoResponse, Refusal> {
    let Query(Followed { events }) =
        followed.map_err(|rejection| Refusal(rejection.status(), rejection.body_text()))?;
    let place = console.place()?;
    let ticks = console.follow();
    console.watch.catch_up().await;
    let happens = events.map(|name| happens(&name, console.watch.ended()));
    let happens = stream::iter(happens).flatten();
    let changes = stream::unfold(
        (console, ticks, 0, place),
        |(console, mut ticks, seen, place)| async move {
            let next = console.watch.next(&mut ticks, seen);
            let tick = until(console.watch.ended(), next).await??;
            let changes = if seen == 0 { None } else { console.watch.changes(seen) };
            let event = match changes {
                None => Event::default()
                    .event("all")
                    .json_data(console.watch.all(console.is_writable())),
                Some(changes) => Event::default().event("changes").json_data(changes),
            };
            // What is not told cannot be serialised.
            let event = event.unwrap_or_default().retry(Duration::from_secs(1));
            Some((Ok::<_, Infallible>(event), (console, ticks, tick, place)))
        },
    );
    // Both end when the console does, and so do they together.
    Ok(Sse::new(stream::select(changes, happens)))
}

/// What comes of something, unless the console ends before.
pub(super) async fn until<F: Future>(ended: Until, first: F) -> Option<F::Output> {
    match select(ended, pin!(first)).await {
        Either::Left(_) => None,
        Either::Right((output, _)) => Some(output),
    }
}

#[derive(Deserialize)]
pub(super) struct Which {
    pub(super) name: String,
    /// The tick from which on the history is known.
    #[serde(default)]
    since: u64,
}

#[derive(Serialize)]
struct Detail {
    tick: u64,
    time: u64,
    limiter: Row,
    snapshot: Snapshot,
    history: Series,
    changes: Vec<Change>,
    keys: Vec<KeyRow>,
    holders: Option<Vec<CallRow>>,
    waiters: Option<Vec<CallRow>>,
}

#[derive(Serialize)]
struct KeyRow {
    key: String,
    in_use: usize,
    waiting: usize,
}

#[derive(Serialize)]
struct CallRow {
    place: String,
    task: Option<String>,
    /// In seconds.
    age: f64,
    weight: u32,
}

async fn limiter(
    which: Result<Query<Which>, QueryRejection>,
    State(console): State<Console>,
) -> Result<Json<Detail>, Refusal> {
    let Query(Which { name, since }) =
        which.map_err(|rejection| Refusal(rejection.status(), rejection.body_text()))?;
    console.watch.start();
    console.watch.catch_up().await;
    let known = console.watch.of(&name, since).ok_or_else(|| no_such(&name))?;
    let handle = LimiterHandle::new(Arc::clone(&known.entry));
    let keys = known.entry.busiest_keys(KEYS).into_iter();
    let [holders, waiters] = calls(&known.entry);
    Ok(Json(Detail {
        tick: known.tick,
        time: known.time,
        limiter: known.row,
        snapshot: handle.snapshot(),
        history: known.history,
        changes: known.changes,
        keys: keys
            .map(|key| KeyRow { key: key.name, in_use: key.in_use, waiting: key.waiting })
            .collect(),
        holders,
        waiters,
    }))
}

/// Who holds permits and who waits, if that is recorded.
#[cfg(feature = "diagnostics")]
fn calls(entry: &Entry) -> [Option<Vec<CallRow>>; 2] {
    use crate::diagnostics::{calls, is_recording};

    [true, false].map(|holding| {
        let calls = is_recording().then(|| calls(entry, holding, CALLS))?;
        let rows = calls.into_iter().map(|call| CallRow {
            place: call.place().to_string(),
            task: call.task().map(|task| task.to_string()),
            age: call.age().as_secs_f64(),
            weight: call.weight(),
        });
        Some(rows.collect())
    })
}

#[cfg(not(feature = "diagnostics"))]
fn calls(_: &Entry) -> [Option<Vec<CallRow>>; 2] {
    let _ = CALLS;
    [None, None]
}

impl Console {
    /// Told of each tick, from now on for sure.
    fn follow(&self) -> Receiver<u64> {
        self.watch.start();
        self.watch.follow()
    }

    fn is_writable(&self) -> bool {
        self.access.token.is_some()
    }

    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.followers).try_acquire_owned().map_err(|_| {
            let what = format!("{FOLLOWERS} follow already; close a page");
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, what)
        })
    }
}

pub(super) fn no_such(name: &str) -> Refusal {
    let what =
        format!("there is no limiter `{name}`: none of that name has been used, or it was dropped");
    Refusal::new(StatusCode::NOT_FOUND, what)
}
