//! Waking.

use std::task::Waker;

/// Wakers to wake after unlocking. Nearly always it is one, which takes no allocation.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Wakers {
    /// So many are woken for one lock.
    const MOST: usize = 64;

    #[inline]
    pub(super) fn push(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.rest.extend(waker);
        }
    }

    pub(crate) fn append(&mut self, more: Self) {
        for waker in more.first.into_iter().chain(more.rest) {
            self.push(Some(waker));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn is_full(&self) -> bool {
        self.rest.len() + 1 >= Self::MOST
    }

    /// Wakes all of them. No lock may be held.
    #[inline]
    pub(crate) fn wake(self) {
        let Self { first, rest } = self;
        if rest.is_empty() {
            if let Some(first) = first {
                first.wake();
            }
        } else {
            let _rest = Rest(rest.into_iter());
            first.into_iter().for_each(Waker::wake);
        }
    }
}

/// Wakes when dropped: also if a waker before it panics, for the others have been served.
struct Rest(std::vec::IntoIter<Waker>);

impl Drop for Rest {
    fn drop(&mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}
