//! What happens at one limiter, as it happens.

use super::api::{Console, Which, no_such, until};
use super::guard::Refusal;
use super::watch::{Until, milliseconds};
use crate::RejectedKind;
use crate::events::{Event as Happened, EventKind};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::future::ready;
use futures_util::stream::{self, Stream, StreamExt};
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "it is their name")]
struct Events {
    /// In milliseconds since 1970.
    time: u64,
    events: Vec<EventRow>,
    missed: u64,
}

#[derive(Serialize)]
struct EventRow {
    kind: &'static str,
    limit: usize,
    in_use: usize,
    waiting: usize,
}

impl From<Happened> for EventRow {
    fn from(Happened { kind, limit, in_use, waiting }: Happened) -> Self {
        let kind = match kind {
            EventKind::Waiting => "waiting",
            EventKind::Admitted => "admitted",
            EventKind::Rejected(RejectedKind::QueueFull) => "rejected:queue_full",
            EventKind::Rejected(RejectedKind::TimedOut) => "rejected:timed_out",
            EventKind::Rejected(RejectedKind::TooHeavy) => "rejected:too_heavy",
            EventKind::Rejected(RejectedKind::Closed) => "rejected:closed",
            EventKind::Rejected(RejectedKind::Evicted) => "rejected:evicted",
            EventKind::Cancelled => "cancelled",
            EventKind::Released => "released",
            EventKind::LimitChanged => "limit_changed",
        };
        Self { kind, limit, in_use, waiting }
    }
}

/// What happens at one limiter, a few times a second.
pub(super) async fn events(
    which: Result<Query<Which>, QueryRejection>,
    State(console): State<Console>,
) -> Result<impl IntoResponse, Refusal> {
    let Query(Which { name, .. }) =
        which.map_err(|rejection| Refusal(rejection.status(), rejection.body_text()))?;
    let place = console.place()?;
    let handle = crate::find(&name).ok_or_else(|| no_such(&name))?;
    let happened = happened(handle.subscribe(), console.watch.ended());
    // It has its place as long as it is there.
    let happened = happened.inspect(move |_| {
        let _ = &place;
    });
    // Where nothing happens nothing would be sent, and a peer that is gone without a word be listened for,
    // at the cost of every call.
    Ok(Sse::new(happened).keep_alive(KeepAlive::default()))
}

fn happened(
    receiver: broadcast::Receiver<Happened>,
    ended: Until,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    const PAUSE: Duration = Duration::from_millis(250);
    /// More in one go nobody reads.
    const AT_A_TIME: usize = 50;

    stream::unfold((receiver, ended), |(mut receiver, ended)| async {
        let mut missed = 0;
        let mut happened = VecDeque::new();
        match until(ended.clone(), receiver.recv()).await? {
            Ok(event) => happened.push_back(event),
            Err(RecvError::Lagged(more)) => missed += more,
            Err(RecvError::Closed) => return None,
        }
        tokio::time::sleep(PAUSE).await;
        // What comes meanwhile is for the next time, so that there is one.
        for _ in 0..receiver.len() {
            match receiver.try_recv() {
                Ok(event) => happened.push_back(event),
                Err(TryRecvError::Lagged(more)) => missed += more,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
            if happened.len() > AT_A_TIME {
                happened.pop_front();
                missed += 1;
            }
        }
        let events = happened.into_iter().map(EventRow::from).collect();
        let events = Events { time: milliseconds(), events, missed };
        let event = Event::default().event("events").json_data(events).unwrap_or_default();
        Some((Ok(event), (receiver, ended)))
    })
}

/// What happens at one limiter, among other events; and then, or if there is none, that it is gone.
pub(super) fn happens(
    name: &str,
    ended: Until,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + use<> {
    let handle = crate::find(name);
    let happened = handle.map(|handle| happened(handle.subscribe(), ended.clone()));
    // Not if the console has ended and the limiter is there.
    let gone = async move {
        let gone = Event::default().event("gone").data("{}");
        ended.peek().is_none().then_some(Ok(gone))
    };
    stream::iter(happened).flatten().chain(stream::once(gone).filter_map(ready))
}
