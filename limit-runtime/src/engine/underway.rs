//! Notes of the limiters that a thread is at work on, in case foreign code comes back to one.

use std::cell::RefCell;
use std::thread::LocalKey;

/// The note that this thread is at work on a limiter. It ends when it is dropped.
pub(super) struct Underway(&'static LocalKey<RefCell<Vec<usize>>>);

impl Underway {
    /// Adds a limiter to those that a thread is at work on.
    pub(super) fn begin(all: &'static LocalKey<RefCell<Vec<usize>>>, limiter: usize) -> Self {
        // The thread's locals cannot be reached while they are dropped. Then nothing is noted.
        let _ = all.try_with(|all| all.borrow_mut().push(limiter));
        Self(all)
    }

    /// Returns whether this thread is at work on a limiter.
    pub(super) fn is_noted(all: &'static LocalKey<RefCell<Vec<usize>>>, limiter: usize) -> bool {
        all.try_with(|all| all.borrow().contains(&limiter)).unwrap_or(false)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let _ = self.0.try_with(|all| all.borrow_mut().pop());
    }
}
