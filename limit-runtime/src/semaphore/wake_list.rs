//! Wakers to be woken after unlocking.
//!
//! A waker is foreign code. It may panic, take its time, poll its task where it is woken, or use the
//! limiter. All work that others depend on is done all the same: if a waker panics, the others are
//! woken first, and then the panic goes on. It does not go on if the thread is unwinding already,
//! because a second panic would end the process.
//!
//! # Wakers that poll
//!
//! A waker may poll its task where it is woken. The task then gives its permit back, which wakes the
//! next one, and so on: a stack as deep as the wait list is long. So wakes are nested to a certain
//! depth and no further. Wakers below that depth are kept until the deepest wake has returned, and
//! are woken from there in their order. They are not kept longer, because a task may block its thread
//! until something else runs that it has woken.

use crate::unwind::run_all_then_resume_panic;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;
use std::thread;

/// Wakers to be woken after unlocking. Nearly always it is one, which takes no allocation.
#[derive(Debug, Default)]
#[must_use = "the calls that were served or dismissed wait for it"]
pub(crate) struct WakeList {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl WakeList {
    /// The most wakers that are collected under one lock.
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

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Wakes all of them. The caller holds no lock.
    #[inline]
    pub(crate) fn wake(self) {
        let Self { first, rest } = self;
        let Some(first) = first else { return };
        if rest.is_empty() {
            return wake_one(first);
        }
        let Some(_nested) = Nested::begin() else {
            return defer(first, rest);
        };
        run_all_then_resume_panic([first].into_iter().chain(rest), Waker::wake);
    }
}

/// Wakes one waker. The caller holds no lock.
#[expect(clippy::inline_always, reason = "measured: see `semaphore`, *What a queued call costs*")]
#[inline(always)]
pub(super) fn wake_one(waker: Waker) {
    let Some(_nested) = Nested::begin() else {
        return defer(waker, Vec::new());
    };
    if thread::panicking() {
        return run_all_then_resume_panic([waker], Waker::wake);
    }
    // If it panics, nothing is left to do but to wake the deferred, which `_nested` does.
    waker.wake();
}

/// The wakes that are under way on a thread, one inside the other.
#[derive(Clone, Copy)]
struct Waking {
    depth: u8,
    /// True while [`DEFERRED`] has wakers.
    has_deferred: bool,
}

/// The most wakes that are nested. Each takes a stack frame of ours, and the frames of one poll of a
/// user's task.
const DEEPEST: u8 = 16;

thread_local! {
    // A cell of its own, because it needs no destructor, and each wake looks at it.
    static WAKING: Cell<Waking> = const { Cell::new(Waking { depth: 0, has_deferred: false }) };
    /// The wakers that the deepest wake of this thread wakes when it has returned.
    static DEFERRED: RefCell<VecDeque<Waker>> = const { RefCell::new(VecDeque::new()) };
}

/// A wake that is under way on this thread. It ends when this is dropped, also if a waker panics.
struct Nested;

impl Nested {
    /// Begins a wake. `None` if as many as may be are nested already.
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
    /// A larger queue is freed when its last waker has been taken out.
    const KEPT: usize = 1024;
    let next = || {
        // Borrowed for no longer than this: a task that is woken may defer more.
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
            // Before a waker's panic goes on.
            WAKING.set(Waking { has_deferred: false, ..WAKING.get() });
            end();
        }
        next
    };
    run_all_then_resume_panic(std::iter::from_fn(next), Waker::wake);
}

/// Keeps wakers for the deepest wake, because no more may be nested.
#[cold]
fn defer(first: Waker, rest: Vec<Waker>) {
    let mut wakers = Some([first].into_iter().chain(rest));
    let deferred = DEFERRED.try_with(|deferred| {
        deferred.borrow_mut().extend(wakers.take().into_iter().flatten());
        WAKING.set(Waking { has_deferred: true, ..WAKING.get() });
    });
    if deferred.is_err() {
        // The thread's locals are being dropped, so the wakers cannot be kept: they are woken at
        // once.
        run_all_then_resume_panic(wakers.into_iter().flatten(), Waker::wake);
    }
}
