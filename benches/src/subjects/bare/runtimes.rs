//! Finding the limits of the runtime that polls.
//!
//! A thread remembers the tasks that it has seen by their ids, as tokio's ids are never used again. Outside a task, and for
//! a task that is new to the thread, tokio is asked.

use std::cell::Cell;
use std::sync::Mutex;
use std::task::Context;

use tokio::runtime::{Handle, Id as RuntimeId};
use tokio::task::{Id as TaskId, try_id};

use super::limits::{Limits, lock};

/// The number of tasks that a thread remembers.
const TASKS: usize = 128;

type Known<I> = Cell<Option<(I, &'static Limits)>>;

thread_local! {
    static LAST_TASKS: [Known<TaskId>; TASKS] = const { [const { Cell::new(None) }; TASKS] };
    static LAST_RUNTIME: Known<RuntimeId> = const { Cell::new(None) };
}

static ALL: Mutex<Vec<(RuntimeId, &'static Limits)>> = Mutex::new(Vec::new());

/// Returns the limits of the runtime that polls with this context.
#[inline]
pub(super) fn current(context: &Context<'_>) -> &'static Limits {
    let Some(id) = try_id() else {
        return look_up();
    };
    // Tasks lie 128 bytes apart.
    let index = (context.waker().data().addr() >> 7) % TASKS;
    LAST_TASKS.with(|tasks| match tasks[index].get() {
        Some((last, limits)) if last == id => limits,
        _ => {
            let limits = look_up();
            tasks[index].set(Some((id, limits)));
            limits
        }
    })
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
