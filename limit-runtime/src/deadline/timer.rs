//! The timers of calls that wait with a deadline.
//!
//! To make a timer, tokio takes a lock, puts it into a wheel and counts references that all threads of a runtime
//! share. A call that is served takes it out again. Where calls queue that is done over and over, for times that
//! nearly never come. So the timer of a call that is served stays in the wheel, and another call of the runtime uses
//! it. It becomes ready too early for that call, at the time of the former one, and is set to the right time only
//! then.
//!
//! A timer that no call uses stays only while another call of the runtime waits with a deadline. Otherwise it would
//! make a paused clock leap to a time that nobody waits for. It does not keep the waker of the call that used it last.

use crate::tokio_id::number_of;
use crate::unwind::quietly;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use tokio::runtime::{Handle, Id};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer of tokio's that a call uses.
#[derive(Debug)]
pub(super) struct Timer {
    /// `None` if it could not be made, and after the drop.
    sleep: Option<Pin<Box<Sleep>>>,
    /// The runtime whose clock it uses.
    runtime: Id,
}

/// The timers of a runtime. It is there while calls use some.
struct Timers {
    runtime: Id,
    /// The calls that use one.
    used: usize,
    /// Those that no call uses.
    unused: Vec<Pin<Box<Sleep>>>,
}

/// The most timers of a runtime that no call uses.
const MOST: usize = 64;

/// Two runtimes seldom share one of these, and its lock.
const SHARDS: usize = 16;
static TIMERS: [Mutex<Vec<Timers>>; SHARDS] = [const { Mutex::new(Vec::new()) }; SHARDS];

impl Timer {
    /// Makes a timer of the runtime that the thread is in. Returns `None` outside a runtime.
    pub(super) fn new(deadline: Instant) -> Option<Self> {
        let runtime = Handle::try_current().ok()?.id();
        // First, because tokio panics in a runtime without a timer.
        let mut timer = Self { sleep: None, runtime };
        let sleep = match timer.take_unused() {
            None => Box::pin(sleep_until(deadline)),
            Some(mut sleep) => {
                if sleep.deadline() > deadline || sleep.is_elapsed() {
                    sleep.as_mut().reset(deadline);
                }
                sleep
            }
        };
        timer.sleep = Some(sleep);
        Some(timer)
    }

    /// Returns whether the timer is one of the runtime that the thread is in.
    pub(super) fn is_of_this_runtime(&self) -> bool {
        Handle::try_current().is_ok_and(|handle| handle.id() == self.runtime)
    }

    /// Becomes ready when the deadline is over.
    pub(super) fn poll(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &mut self.sleep else { return Poll::Pending };
        if sleep.deadline() > deadline {
            // The call may wait for less than before.
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }

    /// Counts a call that uses a timer. Returns one that no call uses, if there is one.
    fn take_unused(&self) -> Option<Pin<Box<Sleep>>> {
        let runtime = self.runtime;
        let mut shard = shard(runtime);
        if let Some(timers) = shard.iter_mut().find(|timers| timers.runtime == runtime) {
            timers.used += 1;
            return timers.unused.pop();
        }
        shard.push(Timers { runtime, used: 1, unused: Vec::new() });
        None
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let mut sleep = self.sleep.take();
        // A runtime that has ended needs none.
        let is_of_use = self.is_of_this_runtime() && sleep.as_mut().is_some_and(forget_waker);
        let mut unused = Vec::new();
        let mut shard = shard(self.runtime);
        if let Some(index) = shard.iter().position(|timers| timers.runtime == self.runtime) {
            let timers = &mut shard[index];
            timers.used -= 1;
            if timers.used == 0 {
                unused = shard.swap_remove(index).unused;
            } else if is_of_use && timers.unused.len() < MOST {
                timers.unused.extend(mem::take(&mut sleep));
            }
        }
        drop(shard);
        // Under no lock: a timer has a waker, which is foreign code.
        drop((sleep, unused));
    }
}

/// Takes the waker of the last call from a timer. Returns whether the time of the timer is still to come.
fn forget_waker(sleep: &mut Pin<Box<Sleep>>) -> bool {
    let mut is_pending = false;
    // Tokio panics if the runtime shuts down. The former waker is foreign code when it is dropped.
    quietly(|| {
        // Unconstrained: a task that has used up its budget would leave its waker there.
        let sleep = pin!(unconstrained(sleep.as_mut()));
        is_pending = sleep.poll(&mut Context::from_waker(Waker::noop())).is_pending();
    });
    is_pending
}

/// Locks the timers of a runtime, among others. Nothing panics under the lock.
fn shard(runtime: Id) -> MutexGuard<'static, Vec<Timers>> {
    let index = usize::try_from(number_of(runtime) % SHARDS as u64).unwrap_or(0);
    TIMERS[index].lock().unwrap_or_else(PoisonError::into_inner)
}
