//! The task that reads, on one runtime.
//!
//! Requests come in on other runtimes too. If the task's runtime ends, or nobody drives it any more, a request
//! that waits for the next tick starts another task on its own runtime.

use super::state::{Reader, Watch};
use crate::deadlocks::Deadlocks;
use crate::oldest::Oldest;
use crate::tick::INTERVAL;
use limit_runtime::{limiters, settings};
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

/// The time after which a request takes over from a task that has done nothing.
const PATIENCE: Duration = Duration::from_secs(3);

/// The most limiters that are read before other tasks have their turn.
const AT_A_TIME: usize = 256;

impl Watch {
    /// Starts a task that reads on the current runtime, if none reads.
    pub(crate) fn start(self: &Arc<Self>) {
        self.read_if(|reader| reader.current.is_none());
    }

    fn read_if(self: &Arc<Self>, is_needed: impl FnOnce(&Reader) -> bool) {
        let mut reader = self.reader();
        if !is_needed(&reader) {
            return;
        }
        reader.begun += 1;
        reader.current = Some(reader.begun);
        let guard = ReaderGuard { number: reader.begun, watch: Arc::downgrade(self) };
        // Not under the lock: a runtime that is about to end drops the task right here, and the guard locks.
        drop(reader);
        tokio::spawn(read(guard));
    }

    /// Waits for a tick after the one that was seen; `None` if no more will come.
    pub(crate) async fn next(
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

    /// Waits for the next tick if the figures are out of date, because the task that reads has stood still.
    pub(crate) async fn catch_up(self: &Arc<Self>) {
        let (last, tick) = {
            let state = self.lock();
            (state.last, state.tick)
        };
        if last.is_some_and(|last| last.elapsed() > PATIENCE) {
            self.next(&mut self.follow(), tick).await;
        }
    }

    /// Counts a step of a task. Returns whether that task is the one that reads.
    fn is_read_by(&self, number: u64) -> bool {
        let mut reader = self.reader();
        reader.steps += 1;
        reader.current == Some(number)
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by a task that reads. Dropping it says that the task reads no more.
struct ReaderGuard {
    number: u64,
    watch: Weak<Watch>,
}

impl ReaderGuard {
    /// Returns the console, if it still exists and this task is the one that reads.
    fn watch(&self) -> Option<Arc<Watch>> {
        self.watch.upgrade().filter(|watch| watch.is_read_by(self.number))
    }
}

impl Drop for ReaderGuard {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.upgrade() {
            let mut reader = watch.reader();
            reader.current.take_if(|current| *current == self.number);
        }
    }
}

async fn read(guard: ReaderGuard) {
    let Some(last) = guard.watch().map(|watch| watch.lock().last) else { return };
    // The first tick is an interval after the last one of another task. But a clock that a test has paused may
    // be ahead of this runtime's clock.
    let now = Instant::now();
    let first = last.map_or(now, |last| (last + INTERVAL).min(now + INTERVAL));
    let mut ticks = tokio::time::interval_at(first, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(watch) = guard.watch() else { return };
        // Under no lock: the process's thread that looks for deadlocks may be at it.
        let deadlocks = Arc::new(Deadlocks::now());
        let limiters = limiters();
        let oldest = Oldest::now();
        let problem = settings::problem().map(Arc::from);
        let tick = {
            let mut state = watch.lock();
            (state.deadlocks, state.oldest, state.problem) = (deadlocks, oldest, problem);
            state.begin()
        };
        for handles in limiters.chunks(AT_A_TIME) {
            let former: Vec<_> = {
                let mut state = watch.lock();
                handles.iter().filter_map(|handle| state.read(handle, tick)).collect()
            };
            // Under no lock, as the dropped limiters below.
            drop(former);
            tokio::task::yield_now().await;
            if guard.watch().is_none() {
                return;
            }
        }
        let dropped = watch.lock().finish(tick);
        drop(dropped);
        watch.published.send_modify(|published| *published = tick.number.max(*published));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tick::Tick;

    fn guard(number: u64, watch: &Arc<Watch>) -> ReaderGuard {
        ReaderGuard { number, watch: Arc::downgrade(watch) }
    }

    #[tokio::test(start_paused = true)]
    async fn request_that_waits_takes_over_from_a_task_that_does_nothing_and_from_no_other() {
        let watch = Watch::new(None);
        *watch.reader() = Reader { begun: 7, current: Some(7), steps: 0 };
        let mut ticks = watch.follow();
        let mut next = Box::pin(watch.next(&mut ticks, 0));
        for _ in 0..10 {
            let two = Duration::from_secs(2);
            assert!(tokio::time::timeout(two, &mut next).await.is_err());
            assert!(watch.is_read_by(7), "it is slow, but goes on");
        }
        assert_eq!(next.await, Some(1));
        assert!(!watch.is_read_by(7) && watch.is_read_by(8));
        assert!(guard(7, &watch).watch().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn task_that_has_ended_is_followed_by_another_a_second_after_its_last_tick() {
        let watch = Watch::new(None);
        let mut ticks = watch.follow();
        let begun = Instant::now();
        assert_eq!(watch.next(&mut ticks, 0).await, Some(1));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        tokio::time::sleep(INTERVAL / 3).await;
        drop(guard(5, &watch));
        assert_eq!(watch.reader().current, Some(1), "it was not that one");
        drop(guard(1, &watch));
        assert_eq!(watch.reader().current, None);
        assert_eq!(watch.next(&mut ticks, 1).await, Some(2));
        let after = begun.elapsed().as_secs_f64();
        assert!((1.0..1.1).contains(&after), "{after}");
        // The clock of a runtime of before may be ahead.
        drop(guard(2, &watch));
        watch.lock().last = Some(Instant::now() + Duration::from_secs(3600));
        assert_eq!(watch.next(&mut ticks, 2).await, Some(3));
        let after = begun.elapsed().as_secs_f64() - after;
        assert!((1.0..1.1).contains(&after), "{after}");
    }

    #[tokio::test(start_paused = true)]
    async fn names_of_dropped_limiters_are_not_kept_for_ever() {
        let watch = Watch::new(None);
        let finish = |tick: u64| {
            let mut state = watch.lock();
            state.tick = tick - 1;
            let tick = state.next_tick();
            drop(state.finish(tick));
            state.removed.len()
        };
        watch.lock().removed.insert("dropped".into(), 1);
        assert_eq!((finish(60), finish(61), finish(62)), (1, 1, 0));
        let limiter = limit_runtime::Limiter::new("reading::dropped", 1);
        assert_eq!(limiter.snapshot().total.limit, 1);
        watch.see("reading::dropped");
        assert_eq!((finish(63), watch.lock().names.len()), (0, 1));
        drop(limiter);
        assert_eq!((finish(64), watch.lock().names.len()), (1, 0));
        assert_eq!((finish(124), finish(125)), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn tick_that_another_task_was_quicker_with_is_ignored() {
        let watch = Watch::new(None);
        let mut state = watch.lock();
        let tick = state.begin();
        drop(state.finish(tick));
        drop(state.finish(Tick { time: 1, ..tick }));
        assert_eq!((state.tick, state.time), (1, tick.time));
    }
}
