//! Counts how many calls are inside at the same time.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of guests that are inside now, and the largest number that were at the same time.
#[derive(Debug, Default)]
pub struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// One guest, who is inside until this is dropped.
#[derive(Debug)]
pub struct Guest<P: Deref<Target = Inside> = Arc<Inside>>(P);

impl Inside {
    /// Creates a count of 0.
    pub const fn new() -> Self {
        Self { now: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// Lets a guest in.
    pub fn enter(&self) -> Guest<&Self> {
        self.count();
        Guest(self)
    }

    /// Lets a guest in who keeps the count alive, for instance in a spawned task.
    pub fn enter_owned(self: &Arc<Self>) -> Guest<Arc<Self>> {
        self.count();
        Guest(Arc::clone(self))
    }

    fn count(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    /// Returns how many guests are inside.
    pub fn now(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    /// Returns the largest number of guests that have been inside at the same time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl<P: Deref<Target = Inside>> Deref for Guest<P> {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl<P: Deref<Target = Inside>> Drop for Guest<P> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}
