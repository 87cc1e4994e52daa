//! Nine downloads, three at a time, drawn as a timeline; then two runtimes at once.
//!
//! ```text
//! cargo run --example downloads
//! ```
//!
//! What it shows: first, that calls of a limited function start as permits come back, in the order
//! they were made. Second, that every runtime has its own permits: the same function goes on in
//! one runtime while another, left idle half way through its own downloads, keeps all of its
//! permits. The usual `static` semaphore beside the function hangs in that place.
#![forbid(unsafe_code)]

mod download;
mod runtimes;
mod timeline;

use std::io;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::download::download;
use crate::timeline::Timeline;

/// How long each of the nine takes, in milliseconds.
const LENGTHS: [u64; 9] = [1400, 2500, 1000, 3000, 2200, 1300, 1600, 1200, 2000];

fn main() -> io::Result<()> {
    println!("Nine downloads of 1 to 3 seconds, by #[concurrency_limit(3)] three at a time …\n");
    println!("{}", nine_downloads()?);

    println!("Now two runtimes, three downloads of 1 second in each. The first runtime is left");
    println!("alone when its downloads are half done, and keeps their permits …\n");
    runtimes::compare()
}

#[tokio::main(flavor = "current_thread")]
async fn nine_downloads() -> io::Result<Timeline> {
    let begin = Instant::now();
    let mut downloads = JoinSet::new();
    for (number, length) in LENGTHS.into_iter().enumerate() {
        downloads.spawn(download(number, Duration::from_millis(length)));
    }
    Ok(Timeline::new(begin, downloads.join_all().await))
}
