//! The orders in which calls are served.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::task::Waker;

/// A call that waits.
pub(crate) struct Waiter {
    pub(super) weight: usize,
    pub(super) waker: Waker,
    /// Set when the call is served.
    pub(super) flag: &'static AtomicBool,
}

/// A queue of calls.
pub(crate) trait Waiters: Default + 'static {
    fn push(&mut self, level: u8, waiter: Waiter);
    /// Returns the weight of the call that is next.
    fn next_weight(&self) -> Option<usize>;
    fn pop(&mut self) -> Option<Waiter>;
}

/// The first that came is served first.
#[derive(Default)]
pub(crate) struct Fifo(VecDeque<Waiter>);

/// The last that came is served first.
#[derive(Default)]
pub(crate) struct Lifo(Vec<Waiter>);

/// Eight levels, of which the highest is served first. No call ages.
#[derive(Default)]
pub(crate) struct Levels {
    levels: [VecDeque<Waiter>; 8],
    /// A bit for each level in use.
    in_use: u8,
}

impl Waiters for Fifo {
    fn push(&mut self, _: u8, waiter: Waiter) {
        self.0.push_back(waiter);
    }

    fn next_weight(&self) -> Option<usize> {
        self.0.front().map(|waiter| waiter.weight)
    }

    fn pop(&mut self) -> Option<Waiter> {
        self.0.pop_front()
    }
}

impl Waiters for Lifo {
    fn push(&mut self, _: u8, waiter: Waiter) {
        self.0.push(waiter);
    }

    fn next_weight(&self) -> Option<usize> {
        self.0.last().map(|waiter| waiter.weight)
    }

    fn pop(&mut self) -> Option<Waiter> {
        self.0.pop()
    }
}

impl Levels {
    fn highest(&self) -> Option<usize> {
        self.in_use.checked_ilog2().map(|level| level as usize)
    }
}

impl Waiters for Levels {
    fn push(&mut self, level: u8, waiter: Waiter) {
        self.in_use |= 1 << level;
        self.levels[usize::from(level)].push_back(waiter);
    }

    fn next_weight(&self) -> Option<usize> {
        self.levels[self.highest()?].front().map(|waiter| waiter.weight)
    }

    fn pop(&mut self) -> Option<Waiter> {
        let highest = self.highest()?;
        let waiter = self.levels[highest].pop_front();
        if self.levels[highest].is_empty() {
            self.in_use &= !(1 << highest);
        }
        waiter
    }
}
