//! Tasks in bulk (feature `task`).

mod gathering;
mod in_place;
mod limited;
mod mapping;
mod panics;
mod pools;

use limit_tests::occupancy::Inside;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// So many milliseconds.
fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Work that counts who is inside, and how many were begun, ended and dropped.
#[derive(Clone, Debug, Default)]
struct Work(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    inside: Inside,
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Work {
    /// Takes that long.
    async fn take(self, time: Duration) {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let _inside = self.0.inside.enter();
        sleep(time).await;
        self.0.ended.fetch_add(1, Ordering::SeqCst);
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

/// Lets every task that can go on do so, on a paused clock.
async fn settle() {
    // Runtimes are asked for time, and have none to give while a task is ready.
    sleep(Duration::from_nanos(1)).await;
}
