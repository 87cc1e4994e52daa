//! All limiters, once or followed by a stream, and the changes of all.

use crate::console::{Console, unless_ended};
use crate::error::ApiError;
use crate::events::events_until_gone;
use crate::watch::Log;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::time::Duration;

/// The part of the list that is asked for: all of it, unless the query says something else.
#[derive(Deserialize)]
pub(crate) struct Part {
    /// The name after which the part begins.
    after: Option<String>,
    /// The most limiters, as it was sent: the error is in our words.
    count: Option<String>,
}

/// Lists all limiters, or a part of them, in the order of their names.
pub(crate) async fn list(
    part: Result<Query<Part>, QueryRejection>,
    State(console): State<Console>,
) -> Result<Response, ApiError> {
    let Query(Part { after, count }) = part?;
    let count = count.map_or(Ok(usize::MAX), |count| at_least_one(&count))?;
    let mut ticks = console.follow();
    console.watch.catch_up().await;
    // If nobody has read yet, the first tick is under way.
    console
        .watch
        .next(&mut ticks, 0)
        .await
        .ok_or_else(|| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the console has ended"))?;
    Ok(Json(console.all(after.as_deref(), count)).into_response())
}

fn at_least_one(count: &str) -> Result<usize, ApiError> {
    let text = "`count` must be a whole number, at least 1";
    let count = count.parse().map(NonZeroUsize::get);
    count.map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, text))
}

/// Lists the last changes of all limiters.
pub(crate) async fn log(State(console): State<Console>) -> Json<Log> {
    console.watch.start();
    console.watch.catch_up().await;
    Json(console.watch.log())
}

#[derive(Deserialize)]
pub(crate) struct Followed {
    /// The limiter whose events are to be among the rest.
    events: Option<String>,
}

/// Streams all limiters at first, and then the rows that change; on demand the events of one limiter too.
pub(crate) async fn follow(
    followed: Result<Query<Followed>, QueryRejection>,
    State(console): State<Console>,
) -> Result<Response, ApiError> {
    let Query(Followed { events }) = followed?;
    let slot = console.take_follower_slot()?;
    let ticks = console.follow();
    console.watch.catch_up().await;
    let events = events.map(|name| events_until_gone(&name, console.watch.ended()));
    let events = stream::iter(events).flatten();
    let changes =
        stream::unfold((console, ticks, 0, slot), |(console, mut ticks, seen, slot)| async move {
            let next = console.watch.next(&mut ticks, seen);
            let tick = unless_ended(console.watch.ended(), next).await??;
            let changes = if seen == 0 { None } else { console.watch.changes(seen) };
            let event = match changes {
                None => Event::default().event("all").json_data(console.all(None, usize::MAX)),
                Some(changes) => Event::default().event("changes").json_data(changes),
            };
            // The rows can always be serialised. If not, the event is empty.
            let event = event.unwrap_or_default().retry(Duration::from_secs(1));
            Some((Ok::<_, Infallible>(event), (console, ticks, tick, slot)))
        });
    // Both streams end when the console does, and so does the stream of both.
    Ok(Sse::new(stream::select(changes, events)).into_response())
}
