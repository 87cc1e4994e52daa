//! The floor: the least that a limit with permits for each runtime can do.
//!
//! A *bare* limit admits calls in the same order as ours. It finds the runtime in the way that ours does, and has nothing
//! else: a waiting call cannot be cancelled, nothing can be resized, closed or drained, no figure is kept, and a panic
//! loses permits. So it is no contender. It shows how much of a call's cost is for what a user gets, and how much comes
//! from the locks, the clock, the runtime and the order.

mod runtimes;
mod waiters;

use std::collections::HashMap;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::subjects::LIMIT;
use runtimes::current;
pub(crate) use waiters::{Fifo, Lifo, Waiters};
use waiters::{Levels, Waiter};

/// The bare limits of one runtime.
pub(crate) struct Limits {
    /// Permits that are always free.
    free: AtomicUsize,
    pub(crate) fifo: Limit<Fifo>,
    pub(crate) lifo: Limit<Lifo>,
    pub(crate) levels: Limit<Levels>,
    keys: Mutex<HashMap<u64, usize>>,
}

impl Limits {
    fn new() -> Self {
        Self {
            free: AtomicUsize::new(LIMIT),
            fifo: Limit::new(false),
            lifo: Limit::new(true),
            levels: Limit::new(true),
            keys: Mutex::new(HashMap::new()),
        }
    }
}

/// A permit from [`take`].
pub(crate) struct Free(&'static Limits);

/// Takes a permit where one is always free.
pub(crate) async fn take() -> Free {
    poll_fn(|context| {
        let limits = current(context);
        let mut free = limits.free.load(Ordering::Relaxed);
        while free > 0 {
            let taken = limits.free.compare_exchange_weak(
                free,
                free - 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match taken {
                Ok(_) => return Poll::Ready(Free(limits)),
                Err(now) => free = now,
            }
        }
        // More workers than permits, which are interrupted while they hold some.
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

impl Drop for Free {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::Release);
    }
}

/// A permit from [`take_of_key`].
pub(crate) struct OfKey(&'static Limits, u64);

/// Takes a permit of a key of which one is always free. All keys share a lock, because a key comes and goes with its
/// calls.
pub(crate) async fn take_of_key(key: u64) -> OfKey {
    let limits = poll_fn(|context| Poll::Ready(current(context))).await;
    *lock(&limits.keys).entry(key).or_insert(0) += 1;
    OfKey(limits, key)
}

impl Drop for OfKey {
    fn drop(&mut self) {
        let mut keys = lock(&self.0.keys);
        if let Some(in_use) = keys.get_mut(&self.1) {
            *in_use -= 1;
            if *in_use == 0 {
                keys.remove(&self.1);
            }
        }
    }
}

/// A limit whose calls queue.
pub(crate) struct Limit<W> {
    state: Mutex<State<W>>,
    /// Each call that waits looks at the clock twice.
    is_timed: bool,
}

struct State<W> {
    free: usize,
    waiters: W,
    /// Flags of waiters that have been served, for others.
    flags: Vec<&'static AtomicBool>,
}

/// The permits of one call.
pub(crate) struct Permits<W: Waiters> {
    limit: &'static Limit<W>,
    weight: usize,
}

impl<W: Waiters> Limit<W> {
    fn new(is_timed: bool) -> Self {
        let state = State { free: LIMIT, waiters: W::default(), flags: Vec::new() };
        Self { state: Mutex::new(state), is_timed }
    }

    fn now(&self) -> Option<Instant> {
        self.is_timed.then(Instant::now)
    }

    /// Takes permits, or joins the queue. Returns the flag that is set when the call is served.
    fn enter(&self, weight: usize, level: u8, waker: &Waker) -> Option<&'static AtomicBool> {
        // Cloned before the lock is taken, as foreign code is to be.
        let waker = waker.clone();
        let mut state = lock(&self.state);
        if state.free >= weight && state.waiters.next_weight().is_none() {
            state.free -= weight;
            return None;
        }
        let flag = state.flags.pop().unwrap_or_else(|| Box::leak(Box::default()));
        state.waiters.push(level, Waiter { weight, waker, flag });
        Some(flag)
    }

    fn release(&self, weight: usize) {
        let mut state = lock(&self.state);
        state.free += weight;
        let mut first = None;
        let mut rest = Vec::new();
        while state.waiters.next_weight().is_some_and(|next| next <= state.free) {
            let Some(waiter) = state.waiters.pop() else { break };
            state.free -= waiter.weight;
            waiter.flag.store(true, Ordering::Release);
            match first {
                None => first = Some(waiter.waker),
                Some(_) => rest.push(waiter.waker),
            }
        }
        drop(state);
        first.into_iter().chain(rest).for_each(Waker::wake);
    }
}

/// Takes so many permits of a limit of the present runtime, at a level if it has levels.
pub(crate) async fn acquire<W: Waiters>(
    limit: fn(&'static Limits) -> &'static Limit<W>,
    weight: usize,
    level: u8,
) -> Permits<W> {
    let mut waiting: Option<(&'static Limit<W>, &'static AtomicBool, Option<Instant>)> = None;
    poll_fn(move |context: &mut Context<'_>| match waiting {
        None => {
            let limit = limit(current(context));
            match limit.enter(weight, level, context.waker()) {
                None => Poll::Ready(Permits { limit, weight }),
                Some(flag) => {
                    waiting = Some((limit, flag, limit.now()));
                    Poll::Pending
                }
            }
        }
        Some((limit, flag, since)) => {
            if !flag.swap(false, Ordering::Acquire) {
                return Poll::Pending;
            }
            black_box(since.map(|since| since.elapsed()));
            lock(&limit.state).flags.push(flag);
            Poll::Ready(Permits { limit, weight })
        }
    })
    .await
}

impl<W: Waiters> Drop for Permits<W> {
    fn drop(&mut self) {
        self.limit.release(self.weight);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics")
}
