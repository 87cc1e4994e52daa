//! Waiting until a limiter is not in use.

use crate::engine::Engine;
use crate::tokio_context::needed_runtime;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// The future of [`Limiter::drain`](crate::Limiter::drain). Its output is a number: the permits
/// that were out plus the calls that waited, at the first poll.
#[must_use = "futures do nothing unless polled"]
pub struct Drain {
    engine: Arc<Engine>,
    /// Distinguishes this future from others that drain the same limiter.
    number: u64,
    began_with: Option<usize>,
}

static DRAINS: AtomicU64 = AtomicU64::new(0);

impl Drain {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let number = DRAINS.fetch_add(1, Ordering::Relaxed);
        Self { engine, number, began_with: None }
    }

    pub(super) async fn within(self, duration: Duration) -> Result<usize, Undrained> {
        let engine = Arc::clone(&self.engine);
        needed_runtime("drain_within", &engine.name);
        tokio::time::timeout(duration, self).await.map_err(|_| {
            let total = engine.snapshot().total;
            Undrained {
                limiter: Arc::clone(&engine.name),
                in_use: total.in_use,
                waiting: total.waiting,
            }
        })
    }
}

impl Future for Drain {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let Self { engine, number, began_with } = &mut *self;
        let began_with = *began_with.get_or_insert_with(|| engine.busy());
        if engine.poll_drained(*number, context.waker()) {
            Poll::Ready(began_with)
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        if self.began_with.is_some() {
            // Before the first poll no semaphore knows this drainer.
            self.engine.forget_drainer(self.number);
        }
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("limiter", &self.engine.name)
            .field("began_with", &self.began_with)
            .finish_non_exhaustive()
    }
}

/// The error of [`drain_within`](crate::Limiter::drain_within): the time was over, and the limiter
/// was still in use.
#[derive(Clone, Debug)]
pub struct Undrained {
    limiter: Arc<str>,
    in_use: usize,
    waiting: usize,
}

impl Undrained {
    /// Returns the limiter's name.
    #[must_use]
    pub fn limiter(&self) -> &str {
        &self.limiter
    }

    /// Returns the number of permits that were still out.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.in_use
    }

    /// Returns the number of calls that still waited.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

impl fmt::Display for Undrained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limiter, in_use, waiting } = self;
        write!(
            f,
            "concurrency limit `{limiter}` not drained in time: {in_use} permits still in use, \
             {waiting} waiting"
        )
    }
}

impl std::error::Error for Undrained {}
