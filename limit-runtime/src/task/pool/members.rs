//! The tasks of a pool.

use crate::permit::Permit;
use futures_util::future::FutureExt;
use std::any::Any;
use std::collections::HashMap;
use std::convert::identity;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};

/// So many panics are reported with their message; of the others there is a count.
const MESSAGES: usize = 16;

/// The tasks of a pool that are not done.
#[derive(Debug, Default)]
pub(super) struct Members {
    count: watch::Sender<usize>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    /// A task is a member from before it is spawned, when there is nothing to abort it by.
    tasks: HashMap<u64, Option<AbortHandle>>,
    panics: usize,
    messages: Vec<String>,
}

/// Being a member, until dropped: with the task's end, or with a task that never ran.
#[derive(Debug)]
struct Member {
    members: Arc<Members>,
    number: u64,
    permit: Option<Permit>,
}

impl Members {
    pub(super) fn spawn<F>(self: &Arc<Self>, permit: Permit, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let member = self.join(permit);
        let number = member.number;
        // No lock is held: a runtime that closes drops the task here.
        let task = tokio::spawn(run(future, member));
        // If it has not ended already.
        if let Some(abort) = self.lock().tasks.get_mut(&number) {
            *abort = Some(task.abort_handle());
        }
        task
    }

    fn join(self: &Arc<Self>, permit: Permit) -> Member {
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        inner.tasks.insert(number, None);
        drop(inner);
        self.count.send_modify(|count| *count += 1);
        Member { members: Arc::clone(self), number, permit: Some(permit) }
    }

    pub(super) fn len(&self) -> usize {
        *self.count.borrow()
    }

    pub(super) fn abort_all(&self) {
        let tasks: Vec<_> = self.lock().tasks.values().flatten().cloned().collect();
        // Under no lock: to abort a task can drop it here, with all that it holds.
        for task in tasks {
            task.abort();
        }
    }

    pub(super) async fn wait_until_empty(&self) {
        let mut count = self.count.subscribe();
        // An error would mean that the sender, which is ours, is gone.
        let _ = count.wait_for(|count| *count == 0).await;
    }

    fn record(&self, panic: &(dyn Any + Send)) {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let mut inner = self.lock();
        inner.panics += 1;
        if inner.messages.len() < MESSAGES {
            inner.messages.push(message.unwrap_or("no message").to_owned());
        }
    }

    /// What has panicked since the last report.
    pub(super) fn report(&self, pool: impl FnOnce() -> String) -> Result<(), Panicked> {
        let mut inner = self.lock();
        let count = std::mem::take(&mut inner.panics);
        let messages = std::mem::take(&mut inner.messages);
        drop(inner);
        if count == 0 { Ok(()) } else { Err(Panicked { pool: pool(), count, messages }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nobody panics while holding it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A member's task. The future goes before the membership, also if it is aborted.
async fn run<F: Future>(future: F, member: Member) -> F::Output {
    // `map` drops the future as soon as it is done, here where a panic of that is caught too.
    let caught = AssertUnwindSafe(future.map(identity)).catch_unwind().await;
    // What is caught is not looked at but passed on, to whoever has the task's handle.
    caught.unwrap_or_else(|panic| {
        member.members.record(&*panic);
        drop(member);
        resume_unwind(panic)
    })
}

impl Drop for Member {
    fn drop(&mut self) {
        // First, so that who has waited for the last task finds its place free.
        drop(self.permit.take());
        let abort = self.members.lock().tasks.remove(&self.number);
        drop(abort);
        self.members.count.send_modify(|count| *count -= 1);
    }
}

/// Tasks of a [`Pool`](super::Pool) have panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    pool: String,
    count: usize,
    messages: Vec<String>,
}

impl Panicked {
    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// What the first 16 of them panicked with, in that order; "no message" if it was not text.
    #[must_use]
    pub fn messages(&self) -> &[String] {
        &self.messages
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, count, messages } = self;
        let tasks = if *count == 1 { "task" } else { "tasks" };
        write!(f, "{count} {tasks} of pool `{pool}` panicked: {}", messages.join(", "))?;
        if *count > messages.len() { f.write_str(", …") } else { Ok(()) }
    }
}

impl std::error::Error for Panicked {}
