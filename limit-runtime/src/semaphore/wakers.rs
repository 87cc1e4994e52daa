//! Waking, which runs foreign code: it may panic, take its time, poll where it is woken, or use the
//! limiter.
//!
//! Whatever is owed to others is done all the same. If a waker panics, the others are woken first and
//! then the panic goes on, unless the thread is unwinding already: a second panic would end the process.
//!
//! # Wakers that poll
//!
//! A waker may poll its task where it is woken. The task gives its permit back, which wakes the next
//! one, and so on: a stack as deep as the queue is long. So a thread that is waking already keeps
//! further wakers until it has come back to the outermost wake, which then wakes them in that order.

use crate::unwind::serve_each;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;
use std::thread;

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

    pub(super) fn is_full(&self) -> bool {
        self.rest.len() + 1 >= Self::MOST
    }

    /// Wakes all of them. No lock may be held.
    #[inline]
    pub(crate) fn wake(self) {
        let Self { first, rest } = self;
        let Some(first) = first else { return };
        let Some(_outermost) = Outermost::begin() else {
            return defer(first, rest);
        };
        if rest.is_empty() && !thread::panicking() {
            // If it panics, nothing is owed to anybody but what was deferred.
            first.wake();
        } else {
            serve_each([first].into_iter().chain(rest), Waker::wake);
        }
    }
}

/// What a thread is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    NotWaking,
    Waking,
    /// And there are wakers in [`DEFERRED`].
    WakingWithMore,
}

thread_local! {
    // Apart, because this one needs no destructor and is looked at by each wake.
    static DOING: Cell<Doing> = const { Cell::new(Doing::NotWaking) };
    /// The wakers that the outermost wake of this thread wakes when it has come back.
    static DEFERRED: RefCell<VecDeque<Waker>> = const { RefCell::new(VecDeque::new()) };
}

/// That this thread is waking, for the outermost of the wakes that are under way on it.
struct Outermost;

impl Outermost {
    /// `None` if the thread is waking already.
    #[inline]
    fn begin() -> Option<Self> {
        // Loom runs all threads of a model on one, where they would share the thread's locals.
        if cfg!(limit_loom) || DOING.get() == Doing::NotWaking {
            DOING.set(Doing::Waking);
            Some(Self)
        } else {
            None
        }
    }
}

/// Also if a waker panics.
impl Drop for Outermost {
    #[inline]
    fn drop(&mut self) {
        if DOING.get() == Doing::WakingWithMore {
            wake_deferred();
        } else {
            DOING.set(Doing::NotWaking);
        }
    }
}

#[cold]
fn wake_deferred() {
    let next = || {
        // Borrowed for no longer than this: what is woken may defer more.
        let next = DEFERRED.try_with(|deferred| deferred.borrow_mut().pop_front()).ok().flatten();
        if next.is_none() {
            // Here, before a waker's panic goes on.
            DOING.set(Doing::NotWaking);
        }
        next
    };
    serve_each(std::iter::from_fn(next), Waker::wake);
}

/// This thread is waking already.
#[cold]
fn defer(first: Waker, rest: Vec<Waker>) {
    let mut wakers = Some([first].into_iter().chain(rest));
    let deferred = DEFERRED.try_with(|deferred| {
        deferred.borrow_mut().extend(wakers.take().into_iter().flatten());
        DOING.set(Doing::WakingWithMore);
    });
    if deferred.is_err() {
        // The thread's locals are being dropped: here and now.
        serve_each(wakers.into_iter().flatten(), Waker::wake);
    }
}
