//! Finding the runtime that polls the current call, cheaply.
//!
//! # Implementation details
//!
//! [`Handle::id`](tokio::runtime::Handle::id) names the runtime. But to get a handle, a thread
//! clones an `Arc` that all workers of the runtime share. So each thread remembers its last answers
//! in two ways:
//!
//! * For tasks, in a small table by the task's id and its waker. An answer is stored and trusted
//!   only if the waker is a tokio task's own. (The guard task learns the functions of such wakers.)
//!   The id alone is not enough: inside `block_in_place(|| other.block_on(f()))` the id is still
//!   the outer task's, but the waker is `block_on`'s. The waker alone is not enough: a new task of
//!   another runtime may reuse the memory of a finished task. Ids are never reused.
//! * For all other calls, tokio is asked for the runtime's id, and only the registry is remembered.
//!
//! An answer is trusted only while the epoch of its registry is the same, because tokio may reuse a
//! runtime's id after the runtime's end.
//!
//! # Known limits
//!
//! Tokio does not tell which runtime a task belongs to. Two kinds of tasks may be counted on the
//! wrong runtime. One is a task of a `LocalSet` that one runtime has driven and another drives on,
//! on the same thread while the first still lives. It may be counted on the first. The other is a
//! task that makes its first call inside `Handle::enter` of another runtime. It may be counted on
//! that runtime from then on. In both cases the limit of each runtime holds.

use crate::registry::{self, EpochRef};
use crate::tokio_id::number_of;
use std::cell::Cell;
use std::task::Waker;
use tokio::runtime::{self, Handle};
use tokio::task;

#[derive(Clone, Copy)]
struct Task {
    id: task::Id,
    waker: *const (),
    epoch: EpochRef,
}

/// The number of tasks that a thread remembers.
const TASKS: usize = 128;

thread_local! {
    static LAST_TASKS: [Cell<Option<Task>>; TASKS] = const { [const { Cell::new(None) }; TASKS] };
    static LAST_RUNTIME: Cell<Option<(runtime::Id, EpochRef)>> = const { Cell::new(None) };
}

/// Returns the registry of the runtime that polls with this waker. Without a waker, returns the
/// registry of the runtime whose context this is. Outside any runtime, returns the process's
/// registry.
#[inline]
pub(crate) fn current(waker: Option<&Waker>) -> EpochRef {
    let Some(waker) = waker.filter(|waker| registry::is_task_waker(waker)) else {
        return look_up();
    };
    let Some(id) = task::try_id() else {
        return look_up();
    };
    LAST_TASKS.with(|tasks| match tasks[table_index(id)].get() {
        Some(last) if last.id == id && last.waker == waker.data() && last.epoch.is_current() => {
            last.epoch
        }
        _ => {
            let epoch = look_up();
            tasks[table_index(id)].set(Some(Task { id, waker: waker.data(), epoch }));
            epoch
        }
    })
}

/// Returns a task's index in the table.
#[inline]
fn table_index(id: task::Id) -> usize {
    usize::try_from(number_of(id) % TASKS as u64).unwrap_or(0)
}

/// Asks tokio for the runtime.
#[cold]
#[inline(never)]
fn look_up() -> EpochRef {
    let Ok(handle) = Handle::try_current() else {
        return registry::process();
    };
    let id = handle.id();
    match LAST_RUNTIME.get() {
        Some((last, epoch)) if last == id && epoch.is_current() => epoch,
        _ => {
            let epoch = registry::find_or_open(&handle);
            LAST_RUNTIME.set(Some((id, epoch)));
            epoch
        }
    }
}
