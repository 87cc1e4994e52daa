//! The one thread that watches. It looks at what a runtime cannot look at itself: a runtime may be stuck, paused or
//! undriven.
//!
//! It is a thread and no task, so no timer of it moves a paused clock. It uses real time. It is started when there
//! is first something to watch, sleeps without limit while there is nothing, and keeps no process alive.

use crate::unwind;
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two looks at what may go wrong.
pub(crate) const INTERVAL: Duration = Duration::from_millis(250);

/// Looks once, at a moment. Returns the time of the next look; `None` if there is nothing to watch until
/// [`wake`] is called again. It runs under no lock. A panic in it ends that look only.
pub(crate) type Look = fn(Instant) -> Option<Instant>;

struct Watcher {
    /// What is watched, and when to look next.
    looks: Vec<(Look, Option<Instant>)>,
    is_started: bool,
}

static WATCHER: Mutex<Watcher> = Mutex::new(Watcher { looks: Vec::new(), is_started: false });
static LOOK_AGAIN: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Watcher> {
    WATCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the watcher look at once, and starts it if it has not been started. The caller holds no lock.
#[cfg(feature = "diagnostics")]
pub(crate) fn wake(look: Look) {
    schedule(look, false);
}

/// Does the same, unless there is a next look already.
pub(crate) fn wake_if_idle(look: Look) {
    schedule(look, true);
}

fn schedule(look: Look, if_idle: bool) {
    let mut watcher = lock();
    let now = Some(Instant::now());
    match watcher.looks.iter_mut().find(|(known, _)| std::ptr::fn_addr_eq(*known, look)) {
        Some((_, Some(_))) if if_idle => return,
        Some((_, next)) => *next = now,
        None => watcher.looks.push((look, now)),
    }
    let was_started = std::mem::replace(&mut watcher.is_started, true);
    drop(watcher);
    if was_started {
        LOOK_AGAIN.notify_one();
    } else if thread::Builder::new().name("limit-watcher".to_owned()).spawn(watch).is_err() {
        // The system has no thread to give: the next caller tries again.
        lock().is_started = false;
    }
}

fn watch() {
    let mut watcher = lock();
    loop {
        let now = Instant::now();
        let is_due = |next: &Option<Instant>| next.is_some_and(|next| next <= now);
        if let Some(due) = watcher.looks.iter().position(|(_, next)| is_due(next)) {
            // Taken out before the look: who wakes the watcher meanwhile gets another look.
            watcher.looks[due].1 = None;
            let look = watcher.looks[due].0;
            drop(watcher);
            let next = catch_unwind(|| look(now)).unwrap_or_else(|panic| {
                unwind::end(panic);
                Some(now + INTERVAL)
            });
            watcher = lock();
            let known = &mut watcher.looks[due].1;
            *known = match (*known, next) {
                (Some(woken), Some(next)) => Some(woken.min(next)),
                (woken, next) => woken.or(next),
            };
            continue;
        }
        watcher = match watcher.looks.iter().filter_map(|(_, next)| *next).min() {
            Some(next) => {
                let woken = LOOK_AGAIN.wait_timeout(watcher, next.saturating_duration_since(now));
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
            None => LOOK_AGAIN.wait(watcher).unwrap_or_else(PoisonError::into_inner),
        };
    }
}
