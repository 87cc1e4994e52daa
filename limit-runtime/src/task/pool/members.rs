//! The tasks of a pool.

use crate::permit::Permit;
use pin_project_lite::pin_project;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
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
    /// The pool's, once it has had a task.
    name: Option<Box<str>>,
    next: u64,
    tasks: HashMap<u64, Standing>,
    panics: usize,
    messages: Vec<String>,
}

/// A task is a member from before it is spawned, when there is nothing yet to abort it by.
#[derive(Debug)]
enum Standing {
    Joining,
    /// To be aborted as soon as that is possible.
    Aborted,
    Running(AbortHandle),
}

/// Being a member, until dropped: with the task's end, or with a task that never ran.
#[derive(Debug)]
struct Member {
    members: Arc<Members>,
    number: u64,
    permit: Option<Permit>,
}

impl Members {
    pub(super) fn spawn<F>(
        self: &Arc<Self>,
        name: &str,
        permit: Permit,
        future: F,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let member = self.join(name, permit);
        let number = member.number;
        // No lock is held: a runtime that closes drops the task here.
        let task = tokio::spawn(MemberTask { future: Some(future), member: Some(member) });
        let mut inner = self.lock();
        // Nothing, if it has ended already.
        let standing = inner.tasks.get_mut(&number);
        let is_aborted = matches!(standing, Some(Standing::Aborted));
        if let Some(standing) = standing {
            *standing = Standing::Running(task.abort_handle());
        }
        drop(inner);
        if is_aborted {
            task.abort();
        }
        task
    }

    fn join(self: &Arc<Self>, name: &str, permit: Permit) -> Member {
        let mut inner = self.lock();
        inner.name.get_or_insert_with(|| name.into());
        let number = inner.next;
        inner.next += 1;
        inner.tasks.insert(number, Standing::Joining);
        drop(inner);
        self.count.send_modify(|count| *count += 1);
        Member { members: Arc::clone(self), number, permit: Some(permit) }
    }

    pub(super) fn len(&self) -> usize {
        *self.count.borrow()
    }

    pub(super) fn abort_all(&self) {
        let mut inner = self.lock();
        let mut running = Vec::new();
        for standing in inner.tasks.values_mut() {
            match standing {
                Standing::Running(abort) => running.push(abort.clone()),
                Standing::Joining => *standing = Standing::Aborted,
                Standing::Aborted => {}
            }
        }
        drop(inner);
        // Under no lock: to abort a task can drop it here, with all that it holds.
        for task in running {
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
    pub(super) fn report(&self) -> Result<(), Panicked> {
        let mut inner = self.lock();
        let count = std::mem::take(&mut inner.panics);
        let messages = std::mem::take(&mut inner.messages);
        let pool = inner.name.as_deref().unwrap_or_default().to_owned();
        drop(inner);
        if count == 0 { Ok(()) } else { Err(Panicked { pool, count, messages }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nobody panics while holding it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the pool and the last of its tasks have gone: what nobody has asked for.
impl Drop for Members {
    fn drop(&mut self) {
        #[cfg(feature = "tracing")]
        if let Err(panicked) = self.report() {
            tracing::error!("{panicked}");
        }
    }
}

pin_project! {
    /// A member's task.
    struct MemberTask<F> {
        // In this order, in which they are dropped, too.
        #[pin]
        future: Option<F>,
        member: Option<Member>,
    }
}

impl<F: Future> Future for MemberTask<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        // What is caught is not looked at but passed on, to whoever has the task's handle.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let future = this.future.as_mut().as_pin_mut();
            let polled = future.expect("not polled after it was ready").poll(context);
            if polled.is_ready() {
                // Here, so that a panic of that is caught too.
                this.future.set(None);
            }
            polled
        }));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => {
                *this.member = None;
                Poll::Ready(output)
            }
            Err(panic) => {
                if let Some(member) = this.member.as_ref() {
                    member.members.record(&*panic);
                }
                // The future and then the membership go when the task is dropped.
                resume_unwind(panic)
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // First, so that who has waited for the last task finds its place free.
        drop(self.permit.take());
        let standing = self.members.lock().tasks.remove(&self.number);
        drop(standing);
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
