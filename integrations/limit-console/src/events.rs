//! The events of one limiter.

use crate::console::{Console, unless_ended};
use crate::error::ApiError;
use crate::tick::unix_milliseconds;
use crate::watch::Until;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::future::ready;
use futures_util::stream::{self, Stream, StreamExt};
use limit_runtime::{Event, EventKind, find};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

#[derive(Deserialize)]
pub(crate) struct EventsQuery {
    name: String,
}

/// The events since the last message. `openapi.json` describes the fields.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the JSON calls it so")]
struct Events {
    /// The time in milliseconds since 1970.
    time: u64,
    events: Vec<EventRow>,
    /// The events that were too many to be listed.
    missed: u64,
}

#[derive(Serialize)]
struct EventRow {
    kind: Cow<'static, str>,
    limit: usize,
    in_use: usize,
    waiting: usize,
}

impl From<Event> for EventRow {
    fn from(event: Event) -> Self {
        let kind = match event.kind {
            EventKind::Rejected(reason) => Cow::Owned(format!("rejected:{reason}")),
            kind => Cow::Borrowed(kind.as_str()),
        };
        Self { kind, limit: event.limit, in_use: event.in_use, waiting: event.waiting }
    }
}

/// Streams the events of one limiter, a few messages a second.
pub(crate) async fn events(
    wanted: Result<Query<EventsQuery>, QueryRejection>,
    State(console): State<Console>,
) -> Result<Response, ApiError> {
    let Query(EventsQuery { name }) = wanted?;
    let slot = console.take_follower_slot()?;
    let handle = find(&name).ok_or_else(|| ApiError::no_limiter(&name))?;
    let messages = messages(handle.subscribe(), console.watch.ended());
    // The stream owns its slot.
    let messages = messages.inspect(move |_| {
        let _ = &slot;
    });
    // Without these messages nothing is sent while nothing happens: nobody would notice that the peer is gone,
    // and every call would go on paying for it.
    Ok(Sse::new(messages).keep_alive(KeepAlive::default()).into_response())
}

fn messages(
    receiver: Receiver<Event>,
    ended: Until,
) -> impl Stream<Item = Result<Message, Infallible>> + Send {
    const PAUSE: Duration = Duration::from_millis(250);
    /// The most events in one message: nobody reads more.
    const AT_A_TIME: usize = 50;

    stream::unfold((receiver, ended), |(mut receiver, ended)| async {
        let mut missed = 0;
        let mut events = VecDeque::new();
        match unless_ended(ended.clone(), receiver.recv()).await? {
            Ok(event) => events.push_back(event),
            Err(RecvError::Lagged(more)) => missed += more,
            Err(RecvError::Closed) => return None,
        }
        tokio::time::sleep(PAUSE).await;
        // Events that come meanwhile are left to the next message. Otherwise this loop might never end.
        for _ in 0..receiver.len() {
            match receiver.try_recv() {
                Ok(event) => events.push_back(event),
                Err(TryRecvError::Lagged(more)) => missed += more,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
            if events.len() > AT_A_TIME {
                events.pop_front();
                missed += 1;
            }
        }
        let events = events.into_iter().map(EventRow::from).collect();
        let events = Events { time: unix_milliseconds(), events, missed };
        let message = Message::default().event("events").json_data(events).unwrap_or_default();
        Some((Ok(message), (receiver, ended)))
    })
}

/// Streams the events of one limiter among other messages, and then, or if there is no such limiter, the
/// message that it is gone.
pub(crate) fn events_until_gone(
    name: &str,
    ended: Until,
) -> impl Stream<Item = Result<Message, Infallible>> + Send + use<> {
    let handle = find(name);
    let messages = handle.map(|handle| messages(handle.subscribe(), ended.clone()));
    // No such message if the console has ended: the limiter may still be there.
    let gone = async move {
        let gone = Message::default().event("gone").data("{}");
        ended.peek().is_none().then_some(Ok(gone))
    };
    stream::iter(messages).flatten().chain(stream::once(gone).filter_map(ready))
}
