//! After a peak, memory shrinks to the need of the rest, and no single call frees the memory of the
//! whole peak.

use allocation_counter::{AllocationInfo, measure};
use limit_runtime::{KeyedLimiter, Limiter, Permit, Rejected, RejectedKind, Scope};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The number at the peak: each table has several levels then.
const MANY: u32 = 100_000;
/// The largest number of bytes that one call may allocate or free.
const STEP: u64 = 32 * 1024;
/// The bytes that may be left when one is left: first chunks, one spare chunk, tables of tables.
const LEFT: i64 = 160 * 1024;
/// The bytes of a waiter that the process keeps for the next one: its grant, and its share of a
/// pool.
const KEPT_OF_EACH: i64 = 9;

/// Makes a limiter that all threads share, so that each test runs outside of runtimes.
fn process(name: &'static str, limit: usize) -> Limiter {
    Limiter::new(name, limit).scope(Scope::Process)
}

/// Keeps a limiter for ever. Another test could reuse the memory of a dropped one.
fn keep<T>(limiter: T) -> &'static T {
    Box::leak(Box::new(limiter))
}

/// The sum of the bytes that calls left in use, and the most that one call allocated or freed.
#[derive(Debug, Default)]
struct Steps {
    bytes: i64,
    largest: u64,
}

impl Steps {
    fn count(&mut self, call: AllocationInfo) {
        self.bytes += call.bytes_current;
        self.largest = self.largest.max(call.bytes_max).max(call.bytes_current.unsigned_abs());
    }

    fn run<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let mut result = None;
        let allocated = measure(|| result = Some(call()));
        self.count(allocated);
        result.expect("the call was made")
    }

    fn assert_small(&self, left: i64) {
        assert!(self.largest <= STEP, "one call made or freed {} bytes", self.largest);
        assert!(self.bytes <= left, "{} bytes are still in use", self.bytes);
    }
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn take(limiter: &KeyedLimiter, key: u32) -> Permit {
    limiter.key(key).try_acquire().expect("it is free")
}

/// Reorders values so that neighbours do not follow one another.
fn scattered<T>(all: Vec<T>) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().map(Some).collect();
    let places = (0..all.len()).map(|place| place * 7919 % all.len()).collect::<Vec<_>>();
    places.into_iter().map(|place| all[place].take().expect("7919 is a prime")).collect()
}

#[test]
fn many_keys_of_which_one_is_left_keep_memory_for_one() {
    let limiter = keep(process("peak-keys", 1).keyed());
    let mut held = Vec::with_capacity(MANY as usize);
    let mut steps = Steps::default();
    for key in 0..MANY {
        held.push(steps.run(|| take(limiter, key)));
    }
    assert!(steps.bytes > 64 * i64::from(MANY), "there is something to be given back");
    let mut held = scattered(held);
    let last = held.pop();
    for permit in held {
        steps.run(|| drop(permit));
    }
    assert_eq!(limiter.snapshot().total.keys, 1);
    steps.assert_small(LEFT + KEPT_OF_EACH * i64::from(MANY));
    drop(last);
}

#[test]
fn keys_that_need_dropping_are_dropped_when_they_are_forgotten_and_not_kept() {
    let limiter = keep(process("peak-texts", 1).keyed());
    let mut steps = Steps::default();
    let take = |key: u32| limiter.key(format!("tenant {key}")).try_acquire().expect("it is free");
    let mut held = Vec::with_capacity(MANY as usize);
    for key in 0..MANY {
        held.push(steps.run(|| take(key)));
    }
    let last = held.pop();
    for permit in held {
        steps.run(|| drop(permit));
    }
    steps.assert_small(LEFT + KEPT_OF_EACH * i64::from(MANY));
    drop(last);
}

#[test]
fn many_waiters_of_which_one_is_left_keep_memory_for_one() {
    let limiter = keep(process("peak-waiters", 1));
    let held = limiter.try_acquire().expect("it is free");
    let mut steps = Steps::default();
    let mut waiting = Vec::with_capacity(MANY as usize);
    for _ in 0..MANY {
        let mut call = limiter.acquire();
        assert!(steps.run(|| poll(&mut call)).is_pending());
        waiting.push(call);
    }
    // The lower bound leaves room for memory of other tests that is reused.
    assert!(steps.bytes > 32 * i64::from(MANY), "there is something to be given back");
    assert!(steps.bytes <= 48 * i64::from(MANY), "{} bytes for {MANY} waiters", steps.bytes);
    let mut waiting = scattered(waiting);
    let last = waiting.pop();
    for call in waiting {
        steps.run(|| drop(call));
    }
    assert_eq!(limiter.snapshot().total.waiting, 1);
    steps.assert_small(LEFT + KEPT_OF_EACH * i64::from(MANY));
    drop((last, held));
}

#[test]
fn waiters_that_are_served_one_after_another_give_their_memory_back() {
    let limiter = keep(process("peak-served", 1));
    let mut held = limiter.try_acquire().ok();
    let mut steps = Steps::default();
    let mut waiting = Vec::with_capacity(MANY as usize);
    for _ in 0..MANY {
        let mut call = limiter.acquire();
        assert!(steps.run(|| poll(&mut call)).is_pending());
        waiting.push(call);
    }
    for mut call in waiting {
        steps.run(|| drop(held.take()));
        let Poll::Ready(permit) = steps.run(|| poll(&mut call)) else {
            panic!("each is served in its turn");
        };
        held = Some(permit);
    }
    steps.assert_small(LEFT + KEPT_OF_EACH * i64::from(MANY));
}

#[test]
fn what_is_kept_of_waiters_is_kept_once_for_all_limiters() {
    let peak = |name| {
        let limiter = keep(process(name, 0));
        let mut steps = Steps::default();
        let mut waiting = Vec::with_capacity(MANY as usize);
        for _ in 0..MANY {
            let mut call = limiter.acquire();
            assert!(steps.run(|| poll(&mut call)).is_pending());
            waiting.push(call);
        }
        for call in waiting {
            steps.run(|| drop(call));
        }
        steps.bytes
    };
    let left = ["peak-1", "peak-2", "peak-3", "peak-4"].map(peak);
    // Other tests may use the memory that the process keeps at times.
    let least = left.iter().min().expect("four peaks");
    assert!(*least <= LEFT, "{left:?} bytes are still in use");
}

#[test]
fn waiters_with_priorities_give_their_memory_back() {
    let limiter = keep(process("peak-ranked", 0));
    let mut steps = Steps::default();
    let mut waiting = Vec::with_capacity(MANY as usize);
    for number in 0..MANY {
        let mut call = limiter.acquire().priority(number.to_le_bytes()[0] % 8);
        assert!(steps.run(|| poll(&mut call)).is_pending());
        waiting.push(call);
    }
    for call in waiting {
        steps.run(|| drop(call));
    }
    steps.assert_small(LEFT + KEPT_OF_EACH * i64::from(MANY));
}

#[test]
fn waiters_that_were_refused_give_their_memory_back_as_they_notice() {
    let limiter = keep(process("peak-refused", 0).max_waiting(usize::MAX));
    let mut waiting = Vec::with_capacity(MANY as usize);
    let mut steps = Steps::default();
    for _ in 0..MANY {
        let mut call = limiter.acquire().max_wait(std::time::Duration::MAX);
        assert!(steps.run(|| poll(&mut call)).is_pending());
        waiting.push(call);
    }
    // One call of `close` refuses all of them, and may be a large step.
    steps.bytes += measure(|| limiter.close()).bytes_current;
    let last = waiting.pop();
    for mut call in waiting {
        let refused = steps.run(|| match poll(&mut call) {
            Poll::Ready(Err(rejected)) => rejected.kind() == RejectedKind::Closed,
            _ => false,
        });
        assert!(refused);
    }
    steps.assert_small(LEFT + KEPT_OF_EACH * i64::from(MANY));
    drop(last);
}

#[test]
fn calls_over_the_limit_of_a_shadow_give_their_memory_back() {
    let limiter = keep(process("peak-shadow", 1).shadow());
    let mut steps = Steps::default();
    let mut held: Vec<Result<Permit, Rejected>> = Vec::with_capacity(MANY as usize);
    for _ in 0..MANY {
        let mut call = limiter.acquire();
        let Poll::Ready(permit) = steps.run(|| poll(&mut call)) else {
            panic!("nobody waits");
        };
        held.push(Ok(permit));
    }
    assert_eq!(limiter.snapshot().total.shadowed.waited, u64::from(MANY) - 1);
    assert!(steps.bytes > 4 * i64::from(MANY), "there is something to be given back");
    for permit in held {
        steps.run(|| drop(permit));
    }
    steps.assert_small(LEFT);
}
