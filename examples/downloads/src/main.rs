//! Nine downloads, three at a time, drawn as a timeline; then two runtimes at once.
//!
//! ```text
//! cargo run -p downloads
//! ```
//!
//! The program shows two properties. First, calls of a limited function start as permits come back,
//! in the order of the calls. Second, every runtime has its own permits. One runtime is left idle
//! half way through its downloads and keeps all of its permits; the same function still runs in the
//! other runtime. The usual `static` semaphore beside the function hangs in that case.
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

/// The duration of each of the nine downloads, in milliseconds.
const LENGTHS: [u64; 9] = [1400, 2500, 1000, 3000, 2200, 1300, 1600, 1200, 2000];

fn main() -> io::Result<()> {
    if std::env::args().len() > 1 {
        println!(
            "Draws nine downloads as a timeline, then compares two runtimes. Takes 11 seconds."
        );
        return Ok(());
    }
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
