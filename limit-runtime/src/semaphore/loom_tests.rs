//! Models of every interleaving that the comments argue about.
//!
//! `RUSTFLAGS="--cfg limit_loom" cargo test -p limit-runtime --lib --release`

mod limits;
mod permits;
mod policies;
mod runtimes;

use super::{Claim, Entered, Held, KeySource, NO_SLOT, Semaphore, Standing, Waiter};
use crate::policy::{Policy, Request};
use crate::rejected::RejectedKind;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(f);
}

fn bound(limit: u32) -> &'static Semaphore {
    bound_to(limit, &Policy::PLAIN)
}

fn bound_to(limit: u32, policy: &Policy) -> &'static Semaphore {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    assert!(matches!(enter(semaphore, || true), Entered::Unbound));
    semaphore.bind(policy, limit, policy.total, false, None).expect("it is the first").wake();
    semaphore.serve_all();
    semaphore
}

fn bind(semaphore: &Semaphore, limit: u32) {
    if let Some(wakers) = semaphore.bind(&Policy::PLAIN, limit, None, false, None) {
        wakers.wake();
    }
    semaphore.serve_all();
}

fn set_limit(semaphore: &Semaphore, limit: u32) {
    semaphore.set_limit(limit).wake();
    semaphore.serve_all();
}

/// What is left when all is over.
fn assert_all_free(semaphore: &Semaphore, limit: u32) {
    let reading = semaphore.read(&mut Vec::new());
    assert_eq!((reading.in_use, reading.waiting), (0, 0));
    assert!(semaphore.try_acquire(limit, || true), "all permits are back, and SLOW is clear");
    semaphore.release(limit, NO_SLOT);
}

/// A call: what `acquire` does with a semaphore and a [`Waiter`], without clock and limiter.
struct Call {
    semaphore: &'static Semaphore,
    ask: Request,
    key: Option<&'static (dyn KeySource + Sync)>,
    /// Whether it has no time to wait, once it does.
    is_over: bool,
    waiter: Option<Waiter>,
}

/// Why a call has no permit.
#[derive(Debug, PartialEq)]
enum Without {
    Refused(RejectedKind),
    /// To ask again.
    Retry,
    /// It is to find the limit out.
    Limit,
}

fn acquire(semaphore: &'static Semaphore, weight: u32) -> Call {
    let ask = Request { weight, fallible: true, ..Request::ONE };
    Call { semaphore, ask, key: None, is_over: false, waiter: None }
}

/// A call that cannot wait.
fn enter(semaphore: &'static Semaphore, still_ours: impl Fn() -> bool) -> Entered {
    semaphore.enter(Request::ONE, None, None, still_ours)
}

impl Future for Call {
    type Output = Result<Held, Without>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(waiter) = self.waiter.take() {
            return Poll::Ready(match waiter.poll(context.waker()) {
                Standing::Waits if self.is_over => match waiter.time_out() {
                    Ok(refusal) => Err(Without::Refused(refusal.kind)),
                    Err(waiter) => {
                        self.waiter = Some(waiter);
                        return self.poll(context);
                    }
                },
                Standing::Waits => {
                    self.waiter = Some(waiter);
                    return Poll::Pending;
                }
                Standing::Granted => Ok(waiter.accept(Duration::from_nanos(1))),
                Standing::Refused => Err(Without::Refused(waiter.into_refusal().kind)),
                Standing::Retry => {
                    waiter.leave();
                    Err(Without::Retry)
                }
            });
        }
        let Self { semaphore, ask, key, .. } = *self;
        if key.is_none() && semaphore.try_acquire(ask.weight, || true) {
            let held = Held { semaphore, weight: ask.weight, slot: NO_SLOT };
            return Poll::Ready(Ok(held));
        }
        let key = key.map(|key| key as &dyn KeySource);
        match semaphore.enter(ask, key, Some(context.waker()), || true) {
            Entered::Admitted(held) => Poll::Ready(Ok(held)),
            Entered::Queued(waiter) => {
                self.waiter = Some(waiter);
                Poll::Pending
            }
            Entered::Refused(refusal) => Poll::Ready(Err(Without::Refused(refusal.kind))),
            Entered::Stale => Poll::Ready(Err(Without::Retry)),
            Entered::Unbound => match semaphore.claim(ask.weight, Some(context.waker())) {
                Claim::Theirs(waiter) => {
                    self.waiter = waiter;
                    Poll::Pending
                }
                Claim::Ours => Poll::Ready(Err(Without::Limit)),
                Claim::Bound => Poll::Ready(Err(Without::Retry)),
            },
        }
    }
}

/// Polls once, with a waker that wakes nobody.
fn poll_once(call: &mut Call) -> Poll<Result<Held, Without>> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}
