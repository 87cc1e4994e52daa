//! The task that reads, of one runtime. That may end, or be one that nobody drives any more, while requests
//! come in on others: then one of those who wait for the next reading has a task of its own runtime read.

use super::{INTERVAL, Watch};
use crate::limiter::entries;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

/// Who has waited for so long for a task that reads, and that has done nothing, reads itself.
const PATIENCE: Duration = Duration::from_secs(3);

/// So many limiters are read at a time, before others have their turn.
const AT_A_TIME: usize = 256;

/// Which task reads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Reader {
    /// So many have begun to.
    begun: u64,
    /// The number of the one that does.
    current: Option<u64>,
    /// What it has done so far; for others to see that it goes on.
    steps: u64,
}

impl Watch {
    /// Has a task of the current runtime read, if none does.
    pub(in super::super) fn start(self: &Arc<Self>) {
        self.read_if(|reader| reader.current.is_none());
    }

    fn read_if(self: &Arc<Self>, is_needed: impl FnOnce(&Reader) -> bool) {
        let mut reader = self.reader();
        if !is_needed(&reader) {
            return;
        }
        reader.begun += 1;
        reader.current = Some(reader.begun);
        let reads = Reads { number: reader.begun, watch: Arc::downgrade(self) };
        // A runtime that is about to end drops the task right here.
        drop(reader);
        tokio::spawn(read(reads));
    }

    /// The next tick after that one; `None` if no more will come.
    pub(in super::super) async fn next(
        self: &Arc<Self>,
        ticks: &mut watch::Receiver<u64>,
        seen: u64,
    ) -> Option<u64> {
        loop {
            self.start();
            let before = *self.reader();
            let next = ticks.wait_for(|tick| *tick > seen);
            match tokio::time::timeout(PATIENCE, next).await {
                Ok(tick) => return tick.ok().map(|tick| *tick),
                Err(_) => self.read_if(|reader| *reader == before),
            }
        }
    }

    /// Waits until the figures are not long out of date, as they are if the task that reads has stood still.
    pub(in super::super) async fn catch_up(self: &Arc<Self>) {
        let (last, tick) = {
            let state = self.lock();
            (state.last, state.tick)
        };
        if last.is_some_and(|last| last.elapsed() > PATIENCE) {
            self.next(&mut self.follow(), tick).await;
        }
    }

    /// Whether that task is the one that reads.
    fn is_read_by(&self, number: u64) -> bool {
        let mut reader = self.reader();
        reader.steps += 1;
        reader.current == Some(number)
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task reads, until this is dropped.
struct Reads {
    number: u64,
    watch: Weak<Watch>,
}

impl Reads {
    /// The console, if it still is and this task is to read.
    fn watch(&self) -> Option<Arc<Watch>> {
        self.watch.upgrade().filter(|watch| watch.is_read_by(self.number))
    }
}

impl Drop for Reads {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.upgrade() {
            let mut reader = watch.reader();
            reader.current.take_if(|current| *current == self.number);
        }
    }
}

async fn read(reads: Reads) {
    let Some(last) = reads.watch().map(|watch| watch.lock().last) else { return };
    // An interval after the last reading, if another task has read: but clocks that tests have paused
    // may be ahead.
    let now = Instant::now();
    let first = last.map_or(now, |last| (last + INTERVAL).min(now + INTERVAL));
    let mut ticks = tokio::time::interval_at(first, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(watch) = reads.watch() else { return };
        let at = watch.lock().begin();
        for some in entries().chunks(AT_A_TIME) {
            let gone: Vec<_> = {
                let mut state = watch.lock();
                some.iter().filter_map(|entry| state.look(entry, at)).collect()
            };
            drop(gone);
            tokio::task::yield_now().await;
            if reads.watch().is_none() {
                return;
            }
        }
        let gone = watch.lock().finish(at);
        drop(gone);
        watch.published.send_modify(|tick| *tick = at.tick.max(*tick));
    }
}
