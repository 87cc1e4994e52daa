//! Tasks in bulk (feature `task`).

mod gathering;
mod in_place;
mod limited;
mod mapping;
mod panics;
mod pools;
mod shares;

use limit_tests::occupancy::Inside;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Returns a number of milliseconds.
fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Work that counts how many calls are inside, have begun and have ended.
#[derive(Clone, Debug, Default)]
struct Work(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    inside: Inside,
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Work {
    /// Takes this long.
    async fn take(self, time: Duration) {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let _inside = self.0.inside.enter();
        sleep(time).await;
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes 100 ms, and 10 ms less for each number. Number 2 fails.
    async fn attempt(self, number: u64) -> Result<u64, u64> {
        self.take(ms(100 - 10 * number)).await;
        if number == 2 { Err(number) } else { Ok(number) }
    }

    fn now(&self) -> usize {
        self.0.inside.now()
    }

    fn most(&self) -> usize {
        self.0.inside.most()
    }

    fn begun(&self) -> usize {
        self.0.begun.load(Ordering::SeqCst)
    }

    fn ended(&self) -> usize {
        self.0.ended.load(Ordering::SeqCst)
    }
}

/// Runs every task that can go on, on a paused clock.
async fn settle() {
    // The paused clock does not advance while a task is ready.
    sleep(Duration::from_nanos(1)).await;
}
