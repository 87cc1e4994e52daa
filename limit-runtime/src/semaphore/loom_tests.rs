//! Models of every interleaving that the comments argue about.
//!
//! `RUSTFLAGS="--cfg limit_loom" cargo test -p limit-runtime --lib --release`

mod limits;
mod permits;
mod policies;
mod runtimes;

use super::{
    ADMITTED, Entered, GRANTED, KeySource, NO_SLOT, Place, REFUSED, Semaphore, WAITING, standing,
    with_figure,
};
use crate::policy::{Ask, Policy};
use crate::rejected::RejectedKind;
use loom::sync::atomic::Ordering;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

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
    assert!(matches!(semaphore.enter(Ask::ONE, None, None, policy, || true), Entered::Unbound));
    semaphore.bind(policy, limit, policy.total, false, None).wake();
    semaphore.serve_all();
    semaphore
}

fn bind(semaphore: &Semaphore, limit: u32) {
    semaphore.bind(&Policy::PLAIN, limit, None, false, None).wake();
    semaphore.serve_all();
}

fn set_limit(semaphore: &Semaphore, limit: u32) {
    semaphore.set_limit(limit).wake();
    semaphore.serve_all();
}

/// What is left when all is over.
fn assert_all_free(semaphore: &Semaphore, limit: u32) {
    let reading = semaphore.read();
    assert_eq!((reading.in_use, reading.waiting), (0, 0));
    assert!(semaphore.try_acquire(limit, || true), "all permits are back, and SLOW is clear");
    semaphore.release(limit, NO_SLOT);
}

/// A call, with the parts of `acquire::Call` that touch the semaphore.
struct Call {
    semaphore: &'static Semaphore,
    ask: Ask,
    key: Option<&'static (dyn KeySource + Sync)>,
    /// Whether it has no time to wait, once it does.
    is_over: bool,
    place: Option<Place>,
}

#[derive(Debug)]
struct Held {
    semaphore: &'static Semaphore,
    weight: u32,
    slot: u32,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.semaphore.release(self.weight, self.slot);
    }
}

/// Why a call has no permit.
#[derive(Debug, PartialEq)]
enum Without {
    Refused(RejectedKind),
    /// To ask again.
    Retry,
}

fn acquire(semaphore: &'static Semaphore, weight: u32) -> Call {
    let ask = Ask { weight, fallible: true, ..Ask::ONE };
    Call { semaphore, ask, key: None, is_over: false, place: None }
}

/// A call that cannot wait.
fn enter(semaphore: &Semaphore, still_ours: impl Fn() -> bool) -> Entered {
    semaphore.enter(Ask::ONE, None, None, &Policy::PLAIN, still_ours)
}

impl Future for Call {
    type Output = Result<Held, Without>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Call { semaphore, ask, key, is_over, place } = *self;
        if let Some(Place { slot, grant, .. }) = place {
            let mut stands = standing(grant.load(Ordering::Acquire));
            if stands == WAITING {
                semaphore.update_waker(slot, context.waker());
                stands = standing(grant.load(Ordering::Acquire));
            }
            let done = match stands {
                WAITING if is_over => match semaphore.time_out(slot) {
                    Some(refusal) => Err(Without::Refused(refusal.kind)),
                    None => {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                },
                WAITING => return Poll::Pending,
                GRANTED => {
                    grant.store(with_figure(ADMITTED, 1), Ordering::Relaxed);
                    Ok(Held { semaphore, weight: ask.weight, slot })
                }
                REFUSED => Err(Without::Refused(semaphore.leave_refused(slot, ask.weight).kind)),
                _ => {
                    semaphore.leave(slot, ask.weight, false);
                    Err(Without::Retry)
                }
            };
            self.place = None;
            return Poll::Ready(done);
        }
        if key.is_none() && semaphore.try_acquire(ask.weight, || true) {
            return Poll::Ready(Ok(Held { semaphore, weight: ask.weight, slot: NO_SLOT }));
        }
        let key = key.map(|key| key as &dyn KeySource);
        match semaphore.enter(ask, key, Some(context.waker()), &Policy::PLAIN, || true) {
            Entered::Admitted { weight, slot } => Poll::Ready(Ok(Held { semaphore, weight, slot })),
            Entered::Queued(place) => {
                self.place = Some(place);
                Poll::Pending
            }
            Entered::Refused(refusal) => Poll::Ready(Err(Without::Refused(refusal.kind))),
            Entered::Unbound | Entered::Stale => Poll::Ready(Err(Without::Retry)),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.semaphore.leave(place.slot, self.ask.weight, true);
        }
    }
}

/// Polls once, with a waker that wakes nobody.
fn poll_once(call: &mut Call) -> Poll<Result<Held, Without>> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}
