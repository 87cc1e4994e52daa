//! A stream that holds up no shutdown although its client does not read.
//!
//! A server that shuts down gracefully waits until all that it was given is sent. hyper asks a body for more, and so can
//! learn that the body has failed, only while its own buffer has room. So a stream hands out a few small pieces, and the
//! next one when an earlier one has left the buffer. When the console has ended and a client still does not read, the
//! stream fails, and hyper closes the connection.

use crate::guard::is_stream;
use crate::watch::Until;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::{self, Stream, StreamExt};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// The largest piece, in bytes.
const PIECE: usize = 32 * 1024;

/// The pieces that may be on their way. hyper buffers 16 pieces and 400 KB before it stops asking for more.
const PIECES: u32 = 4;

/// The time in which a client may still read the rest when the console has ended.
const GRACE: Duration = Duration::from_secs(1);

/// A piece on its way: it is dropped when it has left the server's buffer.
struct Piece {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Lets a stream fail if its client does not read it to the end within a second after the console has ended.
pub(crate) async fn paced(State(ended): State<Until>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    if !is_stream(&answer) {
        return answer;
    }
    answer.map(|body| Body::from_stream(pieces(body.into_data_stream(), ended)))
}

fn pieces(body: BodyDataStream, ended: Until) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let room = Arc::new(Semaphore::new(PIECES as usize));
    let begin = (body, Bytes::new(), room, ended);
    stream::try_unfold(begin, |(mut body, mut rest, room, ended)| async move {
        while rest.is_empty() {
            let Some(more) = body.next().await else {
                // hyper would wait without end for what it could not send.
                drop(unless_given_up(ended, room.acquire_many(PIECES)).await?);
                return Ok(None);
            };
            rest = more.map_err(io::Error::other)?;
        }
        let free = Arc::clone(&room).acquire_owned();
        let free = unless_given_up(ended.clone(), free).await?;
        let bytes = rest.split_to(rest.len().min(PIECE));
        let piece = Bytes::from_owner(Piece { bytes, _room: free });
        Ok(Some((piece, (body, rest, room, ended))))
    })
}

/// Waits for room, at most until a second after the console has ended.
async fn unless_given_up<T>(
    ended: Until,
    room: impl Future<Output = Result<T, AcquireError>>,
) -> io::Result<T> {
    let given_up = async {
        ended.await;
        tokio::time::sleep(GRACE).await;
    };
    match select(pin!(room), pin!(given_up)).await {
        Either::Left((room, _)) => room.map_err(io::Error::other),
        Either::Right(_) => {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read"))
        }
    }
}
