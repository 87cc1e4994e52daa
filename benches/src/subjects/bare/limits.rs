//! The bare limits of a runtime, and what their locks guard.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;
use std::time::Instant;

use super::super::subject::LIMIT;
use super::waiters::{Fifo, Levels, Lifo, Waiter, Waiters};

/// The bare limits of one runtime.
pub(crate) struct Limits {
    /// Permits that are always free.
    pub(super) free: AtomicUsize,
    pub(crate) fifo: Limit<Fifo>,
    pub(crate) lifo: Limit<Lifo>,
    pub(crate) levels: Limit<Levels>,
    /// The permits in use, by the hashes of the keys.
    pub(super) keys: Mutex<HashMap<u64, usize, BuildHasherDefault<Hashed>>>,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            free: AtomicUsize::new(LIMIT),
            fifo: Limit::new(false),
            lifo: Limit::new(true),
            levels: Limit::new(true),
            keys: Mutex::default(),
        }
    }
}

/// The hasher of a map whose keys are hashes.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
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

impl<W: Waiters> Limit<W> {
    fn new(is_timed: bool) -> Self {
        let state = State { free: LIMIT, waiters: W::default(), flags: Vec::new() };
        Self { state: Mutex::new(state), is_timed }
    }

    pub(super) fn now(&self) -> Option<Instant> {
        self.is_timed.then(Instant::now)
    }

    /// Takes permits, or joins the queue. Returns the flag that is set when the call is served.
    pub(super) fn enter(
        &self,
        weight: usize,
        level: u8,
        waker: &Waker,
    ) -> Option<&'static AtomicBool> {
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

    /// Takes back permits, and the flag of their holder if it has waited.
    pub(super) fn release(&self, weight: usize, flag: Option<&'static AtomicBool>) {
        let mut state = lock(&self.state);
        state.flags.extend(flag);
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics")
}
