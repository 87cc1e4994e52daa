//! The tasks of a pool.

use crate::permit::Permit;
use crate::unwind::{Quiet, poll_to_end, quietly};
use pin_project_lite::pin_project;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use tokio::task::{AbortHandle, JoinHandle, consume_budget};

/// So many panics are reported with their message; of the others there is a count.
const MESSAGES: usize = 16;

/// The tasks of a pool that are not done.
#[derive(Debug, Default)]
pub(super) struct Members(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The pool's, once it has had a task.
    name: Option<Box<str>>,
    /// The number of whatever comes next, a task or one who waits for the last.
    next: u64,
    tasks: HashMap<u64, Standing>,
    /// Those who wait until there are no tasks. Woken by hand, and not by a channel, so that all are
    /// although the waker of one panics.
    joins: HashMap<u64, Waker>,
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
    permit: Option<Quiet<Permit>>,
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
        let number = inner.number();
        inner.tasks.insert(number, Standing::Joining);
        drop(inner);
        Member { members: Arc::clone(self), number, permit: Some(Quiet::new(permit)) }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().tasks.len()
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
        // A loop that does nothing else yields now and then.
        consume_budget().await;
        UntilEmpty { members: self, number: None }.await;
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
        let count = mem::take(&mut inner.panics);
        let messages = mem::take(&mut inner.messages);
        let pool = inner.name.as_deref().unwrap_or_default().to_owned();
        drop(inner);
        if count == 0 { Ok(()) } else { Err(Panicked { pool, count, messages }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nobody panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Waits until there are no tasks.
struct UntilEmpty<'a> {
    members: &'a Members,
    /// Once it waits.
    number: Option<u64>,
}

impl Future for UntilEmpty<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Foreign code: before the lock is taken, and what it replaces is dropped after.
        let waker = context.waker().clone();
        let mut inner = self.members.lock();
        if inner.tasks.is_empty() {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| inner.number());
        let former = inner.joins.insert(number, waker);
        drop(inner);
        drop(former);
        Poll::Pending
    }
}

impl Drop for UntilEmpty<'_> {
    fn drop(&mut self) {
        let waker = self.number.and_then(|number| self.members.lock().joins.remove(&number));
        // When the lock is free again.
        drop(waker);
    }
}

/// When the pool and the last of its tasks have gone: what nobody has asked for.
impl Drop for Members {
    fn drop(&mut self) {
        #[cfg(feature = "tracing")]
        if let Err(panicked) = self.report() {
            // The last to go may be a task, whose output is not the subscriber's to lose.
            quietly(|| tracing::error!("{panicked}"));
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
        let this = self.project();
        let result = ready!(poll_to_end(this.future, context));
        let member = this.member.take();
        match result {
            Ok(output) => {
                drop(member);
                Poll::Ready(output)
            }
            Err(panic) => {
                if let Some(member) = &member {
                    member.members.record(&*panic);
                }
                // After that, so that who has waited for the last task is told of it.
                drop(member);
                resume_unwind(panic)
            }
        }
    }
}

/// Never panics: neither the task's output nor its being cancelled is to be lost by that.
impl Drop for Member {
    fn drop(&mut self) {
        // First, so that who has waited for the last task finds its place free.
        drop(self.permit.take());
        let mut inner = self.members.lock();
        let standing = inner.tasks.remove(&self.number);
        let joins =
            if inner.tasks.is_empty() { mem::take(&mut inner.joins) } else { HashMap::new() };
        drop(inner);
        drop(standing);
        for waker in joins.into_values() {
            quietly(|| waker.wake());
        }
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
