//! The task that reports the end of its runtime.

use super::epoch::EpochRef;
use super::runtimes::Runtimes;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::task::{Context, Poll, RawWakerVTable, Waker};
use tokio::runtime::Id;

/// The functions of the wakers of tokio's tasks. A guard learns them from its own waker.
static TASK_WAKER: AtomicPtr<RawWakerVTable> = AtomicPtr::new(ptr::null_mut());

/// A future that is never ready. Tokio drops it when the runtime shuts down, and that retires the
/// registry.
pub(super) struct Guard {
    pub(super) runtimes: &'static Runtimes<Id>,
    pub(super) runtime: Id,
    pub(super) epoch: EpochRef,
}

impl Future for Guard {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let table = ptr::from_ref(context.waker().vtable()).cast_mut();
        // Relaxed: the pointer is only compared, never followed.
        TASK_WAKER.store(table, Ordering::Relaxed);
        Poll::Pending
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.runtimes.retire(self.runtime, self.epoch);
    }
}

/// Returns whether the waker belongs to one of tokio's tasks. Returns `false` if no guard has been
/// polled yet.
#[inline]
pub(crate) fn is_task_waker(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), TASK_WAKER.load(Ordering::Relaxed))
}
