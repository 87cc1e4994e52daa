//! A pool's map: the results one by one, in the order of the input.
//!
//! ```python
//! def fetch_all(get, pages, limit):
//!     with multiprocessing.pool.ThreadPool(limit) as pool:
//!         yield from pool.imap(get, pages)
//! ```
//!
//! The stream runs tasks instead of threads. It pulls pages as results are taken, never more than
//! `limit` ahead, also from an endless iterator; `imap` reads all of its input as fast as it can.
//! `unordered()` in place of `ordered()` corresponds to `imap_unordered`.
#![forbid(unsafe_code)]

use cookbook::Server;
use limit_runtime::task::{self, Stream, StreamExt};

pub(crate) fn fetch_all(
    server: &Server,
    pages: impl IntoIterator<Item = u32>,
    limit: usize,
) -> impl Stream<Item = String> {
    task::map(limit, pages, |page| server.get(page)).ordered()
}

#[tokio::main]
async fn main() {
    let server = Server::new();
    let mut texts = fetch_all(&server, 1.., 3); // the pages have no end
    while let Some(text) = texts.next().await {
        println!("{text}");
        if text == "page 9" {
            break;
        }
    }
    println!("{server}");
}
