//! Waking, which runs foreign code: it may panic, take its time, poll where it is woken, or use the
//! limiter.
//!
//! Whatever is owed to others is done all the same. If a waker panics, the others are woken first and
//! then the panic goes on, unless the thread is unwinding already: a second panic would end the process.
//!
//! # WakeList that poll
//!
//! A waker may poll its task where it is woken. The task gives its permit back, which wakes the next
//! one, and so on: a stack as deep as the queue is long. So wakes are nested to a certain depth and no
//! further. What would be woken below that is kept until the deepest wake has come back, and then woken
//! from there, in that order. Not sooner than needed, because what is woken may block its thread (it is
//! foreign code) until something else that it has woken has run.

use crate::unwind::run_all_then_resume_panic;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;
use std::thread;

/// WakeList to wake after unlocking. Nearly always it is one, which takes no allocation.
#[derive(Debug, Default)]
pub(crate) struct WakeList {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl WakeList {
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
        let Some(_nested) = Nested::begin() else {
            return defer(first, rest);
        };
        if rest.is_empty() && !thread::panicking() {
            // If it panics, nothing is owed to anybody but what was deferred.
            first.wake();
        } else {
            run_all_then_resume_panic([first].into_iter().chain(rest), Waker::wake);
        }
    }
}

/// How many wakes are under way on a thread, one inside the other.
#[derive(Clone, Copy)]
struct Waking {
    depth: u8,
    /// Whether there are wakers in [`DEFERRED`].
    has_deferred: bool,
}

/// So many wakes are nested. A frame of each is ours, and as many as it takes to poll a task are the
/// user's.
const DEEPEST: u8 = 16;

thread_local! {
    // Apart, because this one needs no destructor and is looked at by each wake.
    static WAKING: Cell<Waking> = const { Cell::new(Waking { depth: 0, has_deferred: false }) };
    /// The wakers that the deepest wake of this thread wakes when it has come back.
    static DEFERRED: RefCell<VecDeque<Waker>> = const { RefCell::new(VecDeque::new()) };
}

/// A wake that is under way on this thread.
struct Nested;

impl Nested {
    /// `None` if as many as may be are under way.
    #[inline]
    fn begin() -> Option<Self> {
        let waking = WAKING.get();
        if waking.depth == DEEPEST {
            return None;
        }
        WAKING.set(Waking { depth: waking.depth + 1, ..waking });
        Some(Self)
    }
}

/// Also if a waker panics.
impl Drop for Nested {
    #[inline]
    fn drop(&mut self) {
        if WAKING.get().has_deferred {
            wake_deferred();
        } else {
            end();
        }
    }
}

#[inline]
fn end() {
    let Waking { depth, has_deferred } = WAKING.get();
    WAKING.set(Waking { depth: depth - 1, has_deferred });
}

#[cold]
fn wake_deferred() {
    /// More than this is given back when the last of them has been taken out.
    const KEPT: usize = 1024;
    let next = || {
        // Borrowed for no longer than this: what is woken may defer more.
        let next = DEFERRED.try_with(|deferred| {
            let mut deferred = deferred.borrow_mut();
            let next = deferred.pop_front();
            if next.is_none() && deferred.capacity() > KEPT {
                *deferred = VecDeque::new();
            }
            next
        });
        let next = next.ok().flatten();
        if next.is_none() {
            // Here, before a waker's panic goes on.
            WAKING.set(Waking { has_deferred: false, ..WAKING.get() });
            end();
        }
        next
    };
    run_all_then_resume_panic(std::iter::from_fn(next), Waker::wake);
}

/// As many wakes as may be are under way on this thread.
#[cold]
fn defer(first: Waker, rest: Vec<Waker>) {
    let mut wakers = Some([first].into_iter().chain(rest));
    let deferred = DEFERRED.try_with(|deferred| {
        deferred.borrow_mut().extend(wakers.take().into_iter().flatten());
        WAKING.set(Waking { has_deferred: true, ..WAKING.get() });
    });
    if deferred.is_err() {
        // The thread's locals are being dropped: here and now.
        run_all_then_resume_panic(wakers.into_iter().flatten(), Waker::wake);
    }
}
