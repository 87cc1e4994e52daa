//! The floor: the least that a limit with permits for each runtime can do.
//!
//! A *bare* limit admits calls in the same order as ours, but no call ages. It finds the runtime in the way that ours
//! does, takes as few locks, and has nothing else: a waiting call cannot be cancelled, nothing can be resized, closed or drained, no figure is kept, and a panic
//! loses permits. So it is no contender. It shows how much of a call's cost is for what a user gets, and how much comes
//! from the locks, the clock, the runtime and the order.

mod limits;
mod runtimes;
mod waiters;

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

pub(crate) use limits::Limits;
use limits::{Limit, lock};
use runtimes::current;
use waiters::Waiters;

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

const LIMIT_OF_KEY: usize = 2;

static RANDOM: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A permit from [`take_of_key`].
pub(crate) struct OfKey(&'static Limits, u64);

/// Takes a permit of a key of which one is nearly always free. All keys share a lock, because a key comes and goes with
/// its calls.
pub(crate) async fn take_of_key(key: u64) -> OfKey {
    poll_fn(|context| {
        let limits = current(context);
        // Under no lock, and by the standard library's hash, because an attacker may choose the keys.
        let hash = RANDOM.hash_one(key);
        let mut keys = lock(&limits.keys);
        let in_use = keys.entry(hash).or_insert(0);
        if *in_use < LIMIT_OF_KEY {
            *in_use += 1;
            return Poll::Ready(OfKey(limits, hash));
        }
        drop(keys);
        // A worker was interrupted while its call held a permit of this key.
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
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

/// The permits of one call.
pub(crate) struct Permits<W: Waiters> {
    limit: &'static Limit<W>,
    weight: usize,
    flag: Option<&'static AtomicBool>,
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
                None => Poll::Ready(Permits { limit, weight, flag: None }),
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
            Poll::Ready(Permits { limit, weight, flag: Some(flag) })
        }
    })
    .await
}

impl<W: Waiters> Drop for Permits<W> {
    fn drop(&mut self) {
        self.limit.release(self.weight, self.flag);
    }
}
