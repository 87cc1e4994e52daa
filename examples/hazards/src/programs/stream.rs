//! A loop takes the results of a buffered stream, and needs a permit for each.

use std::pin::pin;

use futures_util::stream::{self, StreamExt};
use tokio::task::yield_now;

use crate::limit::Limit;

pub(crate) async fn run(limit: &'static impl Limit) {
    let work = async |_| {
        let _permit = limit.acquire().await;
        yield_now().await;
    };
    let mut results = pin!(stream::iter(0..2).map(work).buffer_unordered(2));
    // When the first is done, the permit goes to the second, which only `next` polls.
    while results.next().await.is_some() {
        limit.acquire().await;
    }
}
