//! Waking.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
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
            serve_each(first.into_iter().chain(rest), Waker::wake);
        }
    }
}

/// Does something with each that may call foreign code: also if that panics, for the others are to be
/// served. The first panic goes on when all are.
pub(crate) fn serve_each<T>(all: impl IntoIterator<Item = T>, serve: impl Fn(T)) {
    let mut panicked = None;
    for one in all {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| serve(one))) {
            panicked.get_or_insert(panic);
        }
    }
    if let Some(panic) = panicked {
        resume_unwind(panic);
    }
}
