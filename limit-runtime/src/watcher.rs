//! The one thread that watches. It looks at what a runtime cannot look at itself: a runtime may be stuck, paused or
//! undriven.
//!
//! It is a thread and no task, so no timer of it moves a paused clock. It uses real time. It is started when there
//! is first something to watch, sleeps without limit while there is nothing, and keeps no process alive.

use crate::unwind;
use std::mem;
use std::panic::catch_unwind;
use std::ptr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two looks at what may go wrong.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);

/// The shortest time between two looks of one kind that are asked for. A semaphore under load asks again and again.
const PACE: Duration = Duration::from_millis(100);

/// After a look the thread rests from looks of that kind for so many times as long as it took.
const REST: u32 = 4;

/// A thing to watch.
#[derive(Debug)]
pub(crate) struct Watch {
    look: Look,
    /// Called before the thread looks at something else, which may take any time.
    before_others: Option<fn()>,
}

/// Looks once, given the moment and the one for which the look was planned. Returns the time of the next look; `None`
/// if there is nothing to watch until the thread is woken again. It runs under no lock. A panic in it ends that look
/// only.
type Look = fn(now: Instant, planned: Instant) -> Option<Instant>;

#[derive(Debug)]
struct Planned {
    watch: &'static Watch,
    next: Option<Instant>,
    last: Option<Instant>,
}

struct Watcher {
    all: Vec<Planned>,
    is_started: bool,
}

static WATCHER: Mutex<Watcher> = Mutex::new(Watcher { all: Vec::new(), is_started: false });
static LOOK_AGAIN: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Watcher> {
    WATCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    pub(crate) const fn new(look: Look) -> Self {
        Self { look, before_others: None }
    }

    /// Returns the same, with a function that is called before the thread looks at something else: it may come back
    /// late. The function must not panic, and runs under the watcher's lock.
    #[cfg(feature = "diagnostics")]
    pub(crate) const fn before_others(mut self, call: fn()) -> Self {
        self.before_others = Some(call);
        self
    }

    /// Has the watcher look at once, and starts it if it has not been started. The caller holds no lock.
    #[cfg(feature = "diagnostics")]
    pub(crate) fn wake(&'static self) {
        self.plan(|now, _| now);
    }

    /// Does the same, but keeps a pace. Returns `false` if the system has no thread to give.
    pub(crate) fn wake_at_pace(&'static self) -> bool {
        self.plan(|now, last| last.map_or(now, |last| now.max(last + PACE)))
    }

    /// Plans a look, given a function of the moment and of the last look. Returns whether there is a thread.
    fn plan(&'static self, next: impl FnOnce(Instant, Option<Instant>) -> Instant) -> bool {
        let mut watcher = lock();
        let known = watcher.all.iter().position(|planned| ptr::eq(planned.watch, self));
        let index = known.unwrap_or_else(|| {
            watcher.all.push(Planned { watch: self, next: None, last: None });
            watcher.all.len() - 1
        });
        let planned = &mut watcher.all[index];
        let next = next(Instant::now(), planned.last);
        let is_earlier = planned.next.is_none_or(|planned| planned > next);
        if is_earlier {
            planned.next = Some(next);
        }
        let was_started = mem::replace(&mut watcher.is_started, true);
        drop(watcher);
        if was_started {
            if is_earlier {
                LOOK_AGAIN.notify_one();
            }
            return true;
        }
        let thread = thread::Builder::new().name("limit-watcher".to_owned()).spawn(watch);
        if thread.is_err() {
            // The next caller tries again.
            lock().is_started = false;
        }
        thread.is_ok()
    }
}

fn watch() {
    // A look may be late because another one took its time. That is not what `planned` is to tell.
    let mut free_since = Instant::now();
    let mut watcher = lock();
    loop {
        let now = Instant::now();
        let due = watcher.all.iter().enumerate().filter_map(|(index, planned)| {
            Some((planned.next.filter(|next| *next <= now)?, index))
        });
        // The one that has been due for longest, so that a slow one does not keep the others from looking.
        let Some((when, due)) = due.min() else {
            watcher = match watcher.all.iter().filter_map(|planned| planned.next).min() {
                Some(next) => {
                    let time = next.saturating_duration_since(now);
                    LOOK_AGAIN.wait_timeout(watcher, time).unwrap_or_else(PoisonError::into_inner).0
                }
                None => LOOK_AGAIN.wait(watcher).unwrap_or_else(PoisonError::into_inner),
            };
            continue;
        };
        for (_, other) in watcher.all.iter().enumerate().filter(|(index, _)| *index != due) {
            other.watch.before_others.iter().for_each(|call| call());
        }
        let planned = &mut watcher.all[due];
        // Taken out before the look: a caller that wakes the watcher meanwhile gets another look.
        planned.next = None;
        planned.last = Some(now);
        let look = planned.watch.look;
        drop(watcher);
        let next = catch_unwind(|| look(now, when.max(free_since))).unwrap_or_else(|panic| {
            unwind::end(panic);
            Some(now + INTERVAL)
        });
        free_since = Instant::now();
        // However long a look takes, the thread rests for longer.
        let rested = free_since + REST * (free_since - now);
        watcher = lock();
        let planned = &mut watcher.all[due].next;
        *planned = planned.iter().copied().chain(next.map(|next| next.max(rested))).min();
    }
}
