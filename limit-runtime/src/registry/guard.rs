//! The task that tells when its runtime ends.

use super::epoch::EpochRef;
use super::runtimes::Runtimes;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::task::{Context, Poll, RawWakerVTable, Waker};
use tokio::runtime::Id;

/// The table of functions of the wakers of tokio's tasks, learnt from a guard's own.
static TASK_WAKER: AtomicPtr<RawWakerVTable> = AtomicPtr::new(ptr::null_mut());

/// Never ready; tokio drops it when the runtime shuts down, and that retires the registry.
pub(super) struct Guard {
    runtimes: &'static Runtimes<Id>,
    runtime: Id,
    registry: EpochRef,
}

impl Guard {
    pub(super) fn new(runtimes: &'static Runtimes<Id>, runtime: Id, registry: EpochRef) -> Self {
        Self { runtimes, runtime, registry }
    }
}

impl Future for Guard {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let table = ptr::from_ref(context.waker().vtable()).cast_mut();
        // Only ever compared, never followed: no ordering is needed.
        TASK_WAKER.store(table, Ordering::Relaxed);
        Poll::Pending
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.runtimes.retire(self.runtime, self.registry);
    }
}

/// Whether it is the waker of a task of tokio's. `false` if no guard has been polled yet.
#[inline]
pub(crate) fn is_task_waker(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), TASK_WAKER.load(Ordering::Relaxed))
}
