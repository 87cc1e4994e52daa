//! The tasks of a pool.

#[cfg(feature = "tracing")]
use crate::logging::TARGET;
use crate::permit::Permit;
use crate::tokio_context::needed_runtime;
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

/// The number of panics that are reported with their message. The others are only counted.
const MESSAGES: usize = 16;

/// The tasks of a pool that are not done.
#[derive(Debug, Default)]
pub(super) struct Members(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The pool's name, once it has had a task.
    name: Option<Box<str>>,
    /// The last number that was given to a task or to a call of `join_all`.
    last: u64,
    tasks: HashMap<u64, TaskState>,
    /// The wakers of the calls that wait until there are no tasks. They are woken by hand and not
    /// by a channel, so that all are woken although one of them panics.
    joins: HashMap<u64, Waker>,
    panics: usize,
    messages: Vec<String>,
}

/// The state of a task. A task is a member from before it is spawned, when there is no handle yet
/// to abort it.
#[derive(Debug)]
enum TaskState {
    Joining,
    /// The task is to be aborted as soon as it has a handle.
    Aborted,
    Running(AbortHandle),
}

/// The membership of one task, until dropped: at the task's end, or with a task that never ran.
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
        let runtime = needed_runtime("spawn", name);
        let member = self.join(name, permit);
        let number = member.number;
        // No lock is held: a runtime that shuts down drops the task here.
        let task = runtime.spawn(MemberTask { future: Some(future), member: Some(member) });
        let mut inner = self.lock();
        // There is no state if the task has ended already.
        let state = inner.tasks.get_mut(&number);
        let is_aborted = matches!(state, Some(TaskState::Aborted));
        if let Some(state) = state {
            *state = TaskState::Running(task.abort_handle());
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
        let number = inner.next_number();
        inner.tasks.insert(number, TaskState::Joining);
        drop(inner);
        Member { members: Arc::clone(self), number, permit: Some(Quiet::new(permit)) }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().tasks.len()
    }

    pub(super) fn abort_all(&self) {
        let mut inner = self.lock();
        let mut running = Vec::new();
        for state in inner.tasks.values_mut() {
            match state {
                TaskState::Running(abort) => running.push(abort.clone()),
                TaskState::Joining => *state = TaskState::Aborted,
                TaskState::Aborted => {}
            }
        }
        drop(inner);
        // No lock is held: aborting a task can drop it here, with the values that it holds.
        for task in running {
            task.abort();
        }
    }

    pub(super) async fn wait_until_empty(&self) {
        // So that a loop that does nothing else yields now and then.
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

    /// Reports the panics since the last report.
    pub(super) fn report(&self) -> Result<(), Panicked> {
        let mut inner = self.lock();
        let count = mem::take(&mut inner.panics);
        let messages = mem::take(&mut inner.messages);
        let pool = inner.name.as_deref().unwrap_or_default().to_owned();
        drop(inner);
        if count == 0 { Ok(()) } else { Err(Panicked { pool, count, messages }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

/// A future that waits until there are no tasks.
struct UntilEmpty<'a> {
    members: &'a Members,
    /// The number of its waker, once it waits.
    number: Option<u64>,
}

impl Future for UntilEmpty<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A waker is foreign code: it is cloned before the lock is taken, and the former waker is
        // dropped after the lock is released.
        let waker = context.waker().clone();
        let mut inner = self.members.lock();
        if inner.tasks.is_empty() {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| inner.next_number());
        let former = inner.joins.insert(number, waker);
        drop(inner);
        drop(former);
        Poll::Pending
    }
}

impl Drop for UntilEmpty<'_> {
    fn drop(&mut self) {
        let waker = self.number.and_then(|number| self.members.lock().joins.remove(&number));
        // The lock is free again: dropping a waker is foreign code.
        drop(waker);
    }
}

/// Logs the panics that nobody has asked for, when the pool and the last of its tasks have gone.
impl Drop for Members {
    fn drop(&mut self) {
        #[cfg(feature = "tracing")]
        if let Err(panicked) = self.report() {
            // The last to go may be a task. A panic of the subscriber does not lose the task's
            // output.
            quietly(|| tracing::error!(target: TARGET, "{panicked}"));
        }
    }
}

pin_project! {
    /// The future of a member's task.
    struct MemberTask<F> {
        // The fields are dropped in this order: the permit comes back when the future is gone.
        #[pin]
        future: Option<F>,
        member: Option<Member>,
    }
}

impl<F: Future> Future for MemberTask<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let permit = this.member.as_ref().and_then(|member| member.permit.as_ref());
        let polling = permit.map(|permit| permit.get().polling());
        let result = ready!(poll_to_end(this.future, context));
        drop(polling);
        let member = this.member.take();
        match result {
            Ok(output) => {
                drop(member);
                Poll::Ready(output)
            }
            Err(panic) => {
                if let Some(member) = &member {
                    if let Some(permit) = &member.permit {
                        permit.get().mark_panicked();
                    }
                    member.members.record(&*panic);
                }
                // After the record, so that `join_all` reports this panic when it sees the last
                // task end.
                drop(member);
                resume_unwind(panic)
            }
        }
    }
}

/// Never panics, so that neither the task's output nor its cancellation is lost.
impl Drop for Member {
    fn drop(&mut self) {
        // First, so that the permit is free when `join_all` sees the last task end.
        drop(self.permit.take());
        let mut inner = self.members.lock();
        let state = inner.tasks.remove(&self.number);
        let joins =
            if inner.tasks.is_empty() { mem::take(&mut inner.joins) } else { HashMap::new() };
        drop(inner);
        drop(state);
        for waker in joins.into_values() {
            quietly(|| waker.wake());
        }
    }
}

/// An error: tasks of a [`Pool`](super::Pool) have panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    pool: String,
    count: usize,
    messages: Vec<String>,
}

impl Panicked {
    /// Returns the number of tasks that have panicked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the messages of the first 16 panics, in their order. A panic without text has the
    /// message "no message".
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
