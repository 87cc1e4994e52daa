//! A download that continues long after its function has returned.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, HeaderValue};
use axum::response::Response;
use futures_util::stream;
use limit_runtime::concurrency_limit;
use limit_runtime::tower::PermitBody;
use tokio::time::sleep;

use crate::error::Error;

static CHUNK: [u8; 64 * 1024] = [b'.'; 64 * 1024];
const CHUNKS_OF_A_MEGABYTE: u64 = 16;
/// The time between two chunks: at most 6 MB a second.
const PACE: Duration = Duration::from_millis(10);

/// The size of the largest download, in megabytes.
const LARGEST: u64 = 64;

/// Returns a download of `megabytes`, one chunk every [`PACE`].
///
/// The body holds the permit: the next download begins when this one ends or its client leaves.
#[concurrency_limit(4, permit = permit, name = "download", max_waiting = 8, max_wait = "2s")]
pub(crate) async fn download(megabytes: u64) -> Result<Response, Error> {
    if megabytes > LARGEST {
        return Err(Error::NotFound(format!("there is nothing larger than {LARGEST} MB")));
    }
    let chunks = megabytes * CHUNKS_OF_A_MEGABYTE;
    let chunks = stream::unfold(chunks, async |left| {
        if left == 0 {
            return None;
        }
        sleep(PACE).await;
        Some((Ok::<_, Infallible>(&CHUNK[..]), left - 1))
    });
    let body = PermitBody::new(Body::from_stream(chunks), Some(permit));
    let mut response = Response::new(Body::new(body));
    // The length lets the client detect a download that breaks off.
    let length = HeaderValue::from(megabytes * 1024 * 1024);
    response.headers_mut().insert(CONTENT_LENGTH, length);
    Ok(response)
}
