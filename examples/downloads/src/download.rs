//! One download, with the limit.

use std::time::Duration;

use limit_runtime::concurrency_limit;
use tokio::time::{Instant, sleep};

use crate::timeline::Span;

/// Stands in for a download that takes `length`. The attribute is the whole limit.
#[concurrency_limit(3)]
pub(crate) async fn download(number: usize, length: Duration) -> Span {
    let start = Instant::now();
    sleep(length).await;
    Span { number, start, end: Instant::now() }
}
