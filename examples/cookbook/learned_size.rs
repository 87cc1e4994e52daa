//! Downloads that share 64 MB of memory, and learn their size from the head of the answer. A weight that is known only
//! then needs two semaphores in this form, and the guess of the first is never given back:
//!
//! ```python
//! async def download(url):
//!     async with connections:                         # however large the files are
//!         response = await session.get(url)
//!         async with memory(response.content_length): # two of these may wait for each other
//!             return await response.read()
//! ```
//!
//! Here a download begins with the weight 1, and changes it when it knows more: up to the size of its body, and down
//! again when the body is on disk.
#![forbid(unsafe_code)]

use limit_runtime::{Rejected, concurrency_limit};
use std::sync::Mutex;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(crate) const LATENCY: Duration = Duration::from_millis(100);

/// The names of the files whose bodies are read, and the most memory that they took together.
pub(crate) static READING: Mutex<(Vec<&'static str>, u32)> = Mutex::new((Vec::new(), 0));

#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) megabytes: u32,
}

pub(crate) const FILES: [File; 5] = [
    File { name: "film", megabytes: 60 },
    File { name: "album", megabytes: 40 },
    File { name: "song", megabytes: 8 },
    File { name: "picture", megabytes: 4 },
    File { name: "archive", megabytes: 70 },
];

#[concurrency_limit(64, name = "megabytes", permit = permit)]
pub(crate) async fn download(file: File) -> Result<&'static str, Rejected> {
    let mut permit = permit;
    sleep(LATENCY).await; // the head, which says how large the body is
    permit.resize(file.megabytes).await?;
    {
        let mut reading = READING.lock().expect("no holder panics");
        reading.0.push(file.name);
        let limiter = limit_runtime::find("megabytes").expect("it is in use");
        reading.1 =
            reading.1.max(u32::try_from(limiter.snapshot().total.in_use).expect("64 at most"));
    }
    sleep(LATENCY).await; // the body
    permit.resize(1).await?;
    sleep(LATENCY).await; // the checksum, which takes no memory
    Ok(file.name)
}

#[tokio::main]
async fn main() {
    let mut downloads: JoinSet<_> = FILES.into_iter().map(download).collect();
    while let Some(result) = downloads.join_next().await {
        match result.expect("no download panics") {
            Ok(name) => println!("{name} is there"),
            Err(rejected) => println!("{rejected}"),
        }
    }
    let (_, most) = &*READING.lock().expect("no holder panics");
    println!("at most {most} MB at once");
}
