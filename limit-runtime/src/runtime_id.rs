//! Which runtime is polling us, cheaply.
//!
//! # Implementation details
//!
//! [`Handle::id`](tokio::runtime::Handle::id) is the truth, but to get a handle clones an `Arc` that
//! every worker of the runtime shares. So each thread remembers the last answer in two ways:
//!
//! * For tasks, by the task's id and its waker, in a small table. It is trusted, and written, only if the waker that
//!   polls us is a tokio task's own (its table of functions is learnt from the guard task). The id
//!   alone is not enough: inside `block_in_place(|| other.block_on(f()))` the id is still that of
//!   the outer task, but the waker is that of `block_on`. The waker alone is not enough: the memory
//!   of a task that is gone may be that of another runtime's task by now; ids are never used again.
//! * Otherwise tokio is asked for the runtime's id, and only the look-up of its registry is saved.
//!
//! Both hold only while the registry has not passed on (its epoch): a runtime's id may be used again
//! after its end.
//!
//! # Known limits
//!
//! Tokio does not tell which runtime a task belongs to. A task of a `LocalSet` that was driven by one
//! runtime and is driven on by another, on the same thread, while the first still lives, may be
//! counted on the first. And a task that makes its first call in another runtime's context, which it
//! has entered inside its own poll (`Handle::enter`), may be counted on that one from then on. Either
//! way each runtime's limit holds.

use crate::registry::{self, EpochRef};
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::task::Waker;
use tokio::runtime::{self, Handle};
use tokio::task;

#[derive(Clone, Copy)]
struct Task {
    id: task::Id,
    waker: *const (),
    lease: EpochRef,
}

#[derive(Clone, Copy)]
struct Runtime {
    id: runtime::Id,
    lease: EpochRef,
}

/// So many tasks a thread remembers.
const TASKS: usize = 128;

thread_local! {
    static LAST_TASKS: [Cell<Option<Task>>; TASKS] = const { [const { Cell::new(None) }; TASKS] };
    static LAST_RUNTIME: Cell<Option<Runtime>> = const { Cell::new(None) };
}

/// The registry of the runtime that polls with this waker, or without one, of the runtime whose
/// context we are in. Outside any runtime it is that of the process.
#[inline]
pub(crate) fn current(waker: Option<&Waker>) -> EpochRef {
    let Some(waker) = waker.filter(|waker| registry::is_task_waker(waker)) else {
        return ask();
    };
    let Some(id) = task::try_id() else {
        return ask();
    };
    LAST_TASKS.with(|tasks| match tasks[place(id)].get() {
        Some(last) if last.id == id && last.waker == waker.data() && last.lease.is_current() => {
            last.lease
        }
        _ => {
            let lease = ask();
            tasks[place(id)].set(Some(Task { id, waker: waker.data(), lease }));
            lease
        }
    })
}

/// A task's place in the table: its number, as ids are counted up. They show it only by their hash.
#[inline]
fn place(id: task::Id) -> usize {
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
    usize::try_from(number.0 % TASKS as u64).unwrap_or(0)
}

#[cold]
#[inline(never)]
fn ask() -> EpochRef {
    let Ok(handle) = Handle::try_current() else {
        return registry::process();
    };
    let id = handle.id();
    match LAST_RUNTIME.get() {
        Some(last) if last.id == id && last.lease.is_current() => last.lease,
        _ => {
            let lease = registry::of_runtime(&handle);
            LAST_RUNTIME.set(Some(Runtime { id, lease }));
            lease
        }
    }
}
