//! The connection on which a process hears pushes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, ProtocolVersion, Value};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, timeout};

use super::connection::READ_TIMEOUT;
use super::failure::Failure;
use super::nodes::Nodes;
use super::script;
use crate::message::Push;
use crate::{LedgerName, StoreError, StoreErrorKind};

/// The time of silence after which the server is asked for a sign of life.
const SILENCE: Duration = Duration::from_secs(10);
/// The shortest and the longest pause before a new connection.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A subscription that is in force.
pub(super) struct Subscribed {
    sink: PubSubSink,
    stream: PubSubStream,
}

/// Subscribes to a channel at one of the servers. A cluster sends each message to all its nodes.
pub(super) async fn subscribe(nodes: &Nodes, channel: &str) -> Result<Subscribed, StoreError> {
    let mut last = None;
    for node in nodes.known() {
        let address = node.origin().address();
        let subscribe = async {
            let client = with_resp2(node.origin().client().await?);
            let fail = |error| Failure::of(address, &error);
            let (mut sink, stream) = client.get_async_pubsub().await.map_err(fail)?.split();
            sink.subscribe(channel).await.map_err(fail)?;
            // The client does not tell when the server refuses. A connection with a subscription answers
            // with an array.
            match sink.ping().await.map_err(fail)? {
                Value::Array(_) => Ok(Subscribed { sink, stream }),
                _ => Err(Failure::not_subscribed(address)),
            }
        };
        match timeout(READ_TIMEOUT, subscribe).await {
            Ok(Ok(subscribed)) => return Ok(subscribed),
            Ok(Err(Failure { error, .. })) => last = Some(error),
            Err(_) => last = Some(Failure::timed_out(address, READ_TIMEOUT).error),
        }
    }
    Err(last
        .unwrap_or_else(|| StoreError::new(StoreErrorKind::Address, "the address names no server")))
}

/// Returns the client with the protocol in which an answer to a ping says whether there is a subscription.
fn with_resp2(client: Client) -> Client {
    let info = client.get_connection_info().clone();
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    // The address was good before.
    Client::open(info.set_redis_settings(settings)).unwrap_or(client)
}

/// Forwards pushes until the receiver is dropped, over as many connections as this takes.
pub(super) async fn keep(
    nodes: Arc<Nodes>,
    channel: String,
    first: Option<Subscribed>,
    pushes: Sender<(LedgerName, Push)>,
) {
    let follow = async {
        let mut subscribed = first;
        let mut pause = PAUSES.0;
        loop {
            if let Some(subscribed) = subscribed.take() {
                let begin = Instant::now();
                forward(subscribed, &pushes).await;
                if begin.elapsed() > PAUSES.1 {
                    pause = PAUSES.0;
                }
            }
            // Without pushes nodes poll, so there is no hurry.
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
            subscribed = subscribe(&nodes, &channel).await.ok();
        }
    };
    tokio::select! {
        () = pushes.closed() => {}
        () = follow => {}
    }
}

/// Forwards pushes until the connection breaks or falls silent.
async fn forward(
    Subscribed { mut sink, mut stream }: Subscribed,
    pushes: &Sender<(LedgerName, Push)>,
) {
    loop {
        match timeout(SILENCE, stream.next()).await {
            Ok(Some(message)) => {
                let push = script::push(message.get_payload_bytes());
                if let Some(push) = push {
                    // A full channel drops the push, as the trait says.
                    let _ = pushes.try_send(push);
                }
            }
            Ok(None) => return,
            // A connection that is open at this end only would stay silent for ever.
            Err(_) => match timeout(READ_TIMEOUT, sink.ping::<Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            },
        }
    }
}
