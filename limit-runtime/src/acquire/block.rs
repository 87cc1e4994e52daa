//! Taking a permit on a thread that blocks.

use super::Acquire;
use super::pending_call::{PendingCall, Progress};
use crate::admission::Admission;
use crate::deadline::Deadline;
use crate::keying::Keying;
use crate::permit::Permit;
use crate::rejected::Rejected;
use crate::semaphore::{KeySource, Semaphore, Tick, WaitsFor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Wakes the thread that blocks.
struct Unpark {
    thread: Thread,
    /// `true` from a wake-up until the thread has seen it. The thread's own token would not do: other code that
    /// runs on the thread, such as a subscriber of `tracing`, may park as well, and take the token.
    is_woken: AtomicBool,
}

impl Unpark {
    fn new() -> Arc<Self> {
        Arc::new(Self { thread: thread::current(), is_woken: AtomicBool::new(false) })
    }

    /// Parks the thread until it is woken, or until that time.
    fn park(&self, until: Option<Instant>) {
        // `Acquire` pairs with the `Release` of the waker: what it did before is seen.
        while !self.is_woken.swap(false, Ordering::Acquire) {
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return,
                Some(time) => thread::park_timeout(time),
                None => thread::park(),
            }
        }
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl<E: Admission, K: Keying> Acquire<'_, E, K> {
    /// Blocks the thread until the call is ready.
    ///
    /// # Panics
    ///
    /// If the thread drives a runtime.
    #[track_caller]
    pub(crate) fn block(mut self) -> E::Outcome<Permit> {
        assert_may_block();
        self.call.request.blocks = true;
        let Self { call, deadline, key } = &mut self;
        let result = match call.take_free(&mut Context::from_waker(Waker::noop()), K::MAY_BE_FREE) {
            Ok(permit) => Ok(permit),
            Err(_) => call.block(key.source(), E::deadline_mut(deadline)),
        };
        call.progress = Progress::Done;
        E::outcome(result.map_err(E::refusal))
    }
}

/// Has tokio check that the thread may block.
///
/// # Panics
///
/// If the thread drives a runtime.
#[track_caller]
fn assert_may_block() {
    let (sender, receiver) = oneshot::channel();
    // The value is there, so this only makes tokio's check.
    sender.send(()).expect("the receiver is here");
    drop(receiver.blocking_recv());
}

impl PendingCall<'_> {
    fn block(
        &mut self,
        key: Option<&dyn KeySource>,
        mut deadline: Option<&mut Deadline>,
    ) -> Result<Permit, Rejected> {
        let unpark = Unpark::new();
        let waker = Waker::from(Arc::clone(&unpark));
        let mut context = Context::from_waker(&waker);
        let mut ticker = None;
        loop {
            if let Poll::Ready(result) =
                self.poll_slow(&mut context, None, key, deadline.as_deref_mut())
            {
                return result;
            }
            let until = self.since.and_then(|since| deadline.as_ref()?.moment(since));
            if let (Some(since), Some(deadline)) = (self.since, &mut deadline) {
                if until.is_some_and(|until| until <= Instant::now()) {
                    if let Poll::Ready(result) = self.time_out(since, &mut context, key, deadline) {
                        return result;
                    }
                    continue;
                }
            }
            unpark.park(self.watch_the_clock(&mut ticker, &waker).into_iter().chain(until).min());
        }
    }

    /// Serves the calls whose permits have cooled, if no other thread that blocks is the ticker. Returns when to
    /// do so again, if that is known.
    fn watch_the_clock(&self, ticker: &mut Option<ThreadTicker>, waker: &Waker) -> Option<Instant> {
        let Progress::Waiting(waiter) = &self.progress else { return None };
        if waiter.waits_for() != WaitsFor::Time {
            return None;
        }
        // The call may wait elsewhere by now, because its runtime has ended.
        ticker.take_if(|ticker| ticker.semaphore.id() != waiter.semaphore().id());
        if ticker.is_none() {
            *ticker = ThreadTicker::add(waiter.semaphore());
        }
        match ticker.as_ref()?.tick(waker) {
            Tick::Until(until) => until,
            Tick::Done => {
                *ticker = None;
                None
            }
        }
    }
}

/// The ticker of all threads that block at a semaphore: one of them has it, until it blocks no more.
struct ThreadTicker {
    semaphore: &'static Semaphore,
    number: u64,
}

impl ThreadTicker {
    fn add(semaphore: &'static Semaphore) -> Option<Self> {
        let number = semaphore.add_ticker(None)?;
        semaphore.ticker_is_spawned(number);
        Some(Self { semaphore, number })
    }

    fn tick(&self, waker: &Waker) -> Tick {
        self.semaphore.tick(self.number, waker)
    }
}

impl Drop for ThreadTicker {
    fn drop(&mut self) {
        // Other threads that wait are woken, and one of them has the next ticker.
        self.semaphore.remove_ticker(self.number);
    }
}
