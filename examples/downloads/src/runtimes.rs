//! The same downloads in two runtimes, by the attribute and by hand.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::download::download;

const LENGTH: Duration = Duration::from_secs(1);

/// The time after which a runtime counts as hung: three times the expected duration.
const PATIENCE: Duration = Duration::from_secs(3);

async fn by_attribute() {
    download(0, LENGTH).await;
}

/// Limits a download as a program without the attribute would: with a `static` semaphore.
async fn by_hand() {
    static SEMAPHORE: Semaphore = Semaphore::const_new(3);
    let _permit = SEMAPHORE.acquire().await;
    sleep(LENGTH).await;
}

/// Prints how many downloads the second of two runtimes completes, with each kind of limit.
pub(crate) fn compare() -> io::Result<()> {
    println!("                          runtime 1     runtime 2");
    println!("#[concurrency_limit(3)]   3 half done   {}", second_runtime(by_attribute)?);
    println!("static Semaphore          3 half done   {}", second_runtime(by_hand)?);
    println!();
    println!("The static's permits are all with runtime 1, which nobody drives: runtime 2 hangs.");
    Ok(())
}

fn second_runtime<F>(download: fn() -> F) -> io::Result<String>
where
    F: Future<Output = ()> + Send + 'static,
{
    let first = runtime()?;
    first.block_on(async {
        for _ in 0..3 {
            tokio::spawn(download());
        }
        sleep(LENGTH / 2).await;
    });

    // From here on `first` is alive but idle: nobody drives it, so its downloads do not continue.
    let second = runtime()?;
    Ok(second.block_on(async {
        let start = Instant::now();
        let mut downloads: JoinSet<_> = (0..3).map(|_| download()).collect();
        let mut done = 0;
        while let Ok(Some(_)) = timeout_at(start + PATIENCE, downloads.join_next()).await {
            done += 1;
        }
        let seconds = start.elapsed().as_secs_f64();
        let verdict = if done == 3 { "" } else { ", given up" };
        format!("{done} done after {seconds:.1} s{verdict}")
    }))
}

/// Returns a runtime of one thread, like the runtime of a `#[tokio::test]`.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_time().build()
}
