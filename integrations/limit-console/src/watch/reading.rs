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

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::super::At;
    use super::*;

    fn reads(number: u64, watch: &Arc<Watch>) -> Reads {
        Reads { number, watch: Arc::downgrade(watch) }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_takes_over_from_a_task_that_does_nothing_and_from_no_other() {
        let watch = Watch::new(None);
        *watch.reader() = Reader { begun: 7, current: Some(7), steps: 0 };
        let mut ticks = watch.follow();
        let mut next = Box::pin(watch.next(&mut ticks, 0));
        for _ in 0..10 {
            let two = Duration::from_secs(2);
            assert!(tokio::time::timeout(two, &mut next).await.is_err());
            assert!(watch.is_read_by(7), "it is slow, and goes on");
        }
        assert_eq!(next.await, Some(1));
        assert!(!watch.is_read_by(7) && watch.is_read_by(8));
        assert!(reads(7, &watch).watch().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_has_ended_is_followed_by_another_at_once_and_a_second_later_than_it_has_read()
    {
        let watch = Watch::new(None);
        let mut ticks = watch.follow();
        let begun = Instant::now();
        assert_eq!(watch.next(&mut ticks, 0).await, Some(1));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        tokio::time::sleep(INTERVAL / 3).await;
        drop(reads(5, &watch));
        assert_eq!(watch.reader().current, Some(1), "it was not that one");
        drop(reads(1, &watch));
        assert_eq!(watch.reader().current, None);
        assert_eq!(watch.next(&mut ticks, 1).await, Some(2));
        let after = begun.elapsed().as_secs_f64();
        assert!((1.0..1.1).contains(&after), "{after}");
        // The clock of a runtime of before may be ahead.
        drop(reads(2, &watch));
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
            let at = state.at();
            drop(state.finish(at));
            state.removed.len()
        };
        watch.lock().removed.insert("dropped".into(), 1);
        assert_eq!((finish(60), finish(61), finish(62)), (1, 1, 0));
        let limiter = crate::Limiter::new("reading::dropped", 1);
        assert_eq!(limiter.limit(), 1);
        watch.see("reading::dropped");
        assert_eq!((finish(63), watch.lock().names.len()), (0, 1));
        drop(limiter);
        assert_eq!((finish(64), watch.lock().names.len()), (1, 0));
        assert_eq!((finish(124), finish(125)), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn reading_that_another_was_quicker_with_is_none() {
        let watch = Watch::new(None);
        let mut state = watch.lock();
        let at = state.begin();
        drop(state.finish(at));
        drop(state.finish(At { time: 1, ..at }));
        assert_eq!((state.tick, state.time), (1, at.time));
    }
}
