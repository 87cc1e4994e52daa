//! Finding the limits of the runtime that polls.
//!
//! A thread remembers the tasks that it has seen by their ids and wakers, as ours does. Outside a task, and for
//! a task that is new to the thread, tokio is asked.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;
use std::task::Context;

use tokio::runtime::{Handle, Id as RuntimeId};
use tokio::task::{Id as TaskId, try_id};

use super::limits::{Limits, lock};

/// The number of tasks that a thread remembers.
const TASKS: usize = 128;

type KnownTask = Cell<Option<(TaskId, *const (), &'static Limits)>>;

thread_local! {
    static LAST_TASKS: [KnownTask; TASKS] = const { [const { Cell::new(None) }; TASKS] };
    static LAST_RUNTIME: Cell<Option<(RuntimeId, &'static Limits)>> = const { Cell::new(None) };
}

static ALL: Mutex<Vec<(RuntimeId, &'static Limits)>> = Mutex::new(Vec::new());

/// Returns the limits of the runtime that polls with this context.
#[inline]
pub(super) fn current(context: &Context<'_>) -> &'static Limits {
    let Some(id) = try_id() else {
        return look_up();
    };
    let waker = context.waker().data();
    // By the id, as ids of tasks that are spawned in a row differ in their last digits.
    let index = usize::try_from(number_of(id) % TASKS as u64).unwrap_or(0);
    LAST_TASKS.with(|tasks| match tasks[index].get() {
        Some((last, known, limits)) if last == id && known == waker => limits,
        _ => {
            let limits = look_up();
            tasks[index].set(Some((id, waker, limits)));
            limits
        }
    })
}

/// Returns the number in an id of tokio's, which shows it only by its hash. The library has the same function, but in private.
#[inline]
fn number_of(id: TaskId) -> u64 {
    struct Number(u64);
    impl Hasher for Number {
        fn write(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                self.write_u64(u64::from(byte));
            }
        }
        fn write_u64(&mut self, number: u64) {
            self.0 = self.0.rotate_left(8) ^ number;
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut number = Number(0);
    id.hash(&mut number);
    number.finish()
}

#[cold]
#[inline(never)]
fn look_up() -> &'static Limits {
    let id = Handle::current().id();
    match LAST_RUNTIME.get() {
        Some((last, limits)) if last == id => limits,
        _ => {
            let limits = find_or_make(id);
            LAST_RUNTIME.set(Some((id, limits)));
            limits
        }
    }
}

fn find_or_make(id: RuntimeId) -> &'static Limits {
    let mut all = lock(&ALL);
    if let Some((_, limits)) = all.iter().find(|(known, _)| *known == id) {
        return limits;
    }
    let limits = Box::leak(Box::new(Limits::new()));
    all.push((id, limits));
    limits
}
