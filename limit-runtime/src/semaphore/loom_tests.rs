//! Models of every interleaving that the comments in the semaphore's code argue about. They run the
//! production types.
//!
//! `RUSTFLAGS="--cfg limit_loom" cargo test -p limit-runtime --lib --release --features fleet`

mod adapting;
mod growing;
#[cfg(feature = "fleet")]
mod leases;
mod limits;
mod own_limits;
mod permits;
mod policies;
mod ramps;
mod refusals;
mod runtimes;
mod shares;
mod unclaimed;

use super::{Came, Claim, Entered, Held, KeySource, NewBinding, Semaphore, Unserved, Waiter};
use crate::deadline::Deadline;
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
    semaphore.bind(NewBinding::of(policy, limit)).expect("it is the first").wake();
    semaphore.serve_all();
    semaphore
}

fn bind(semaphore: &'static Semaphore, limit: u32) {
    if let Some(wakers) = semaphore.bind(NewBinding::of(&Policy::PLAIN, limit)) {
        wakers.wake();
    }
    semaphore.serve_all();
}

fn set_limit(semaphore: &'static Semaphore, limit: u32) {
    semaphore.set_limit(limit).wake();
    semaphore.serve_all();
}

/// Takes permits that are free.
fn take(semaphore: &'static Semaphore, weight: u32) -> Held {
    semaphore.try_acquire(weight, || true).expect("they are free")
}

/// Checks that all permits are back at the end.
fn assert_all_free(semaphore: &'static Semaphore, limit: u32) {
    let reading = semaphore.read(&mut Vec::new());
    assert_eq!((reading.usage.in_use, reading.usage.waiting), (0, 0));
    let all = semaphore.try_acquire(limit, || true);
    assert!(all.is_some(), "all permits are back, and SLOW is clear");
}

/// A call. Like `acquire` it drives a semaphore and a [`Waiter`], without clock and limiter.
struct Call {
    semaphore: &'static Semaphore,
    request: Request,
    key: Option<&'static (dyn KeySource + Sync)>,
    /// True if the call's time is up as soon as it waits.
    is_over: bool,
    /// The deadline by which it is ordered, if its limiter orders by that.
    deadline: Option<Deadline>,
    /// True if its limiter has fleet scope.
    is_of_fleet: bool,
    waiter: Option<Waiter>,
}

/// The reason why a call has no permit.
#[derive(Debug, PartialEq)]
enum Without {
    Refused(RejectedKind),
    /// The call is to enter again.
    Retry,
    /// The call is to resolve the limit.
    Limit,
}

impl From<Unserved> for Without {
    fn from(unserved: Unserved) -> Self {
        match unserved {
            Unserved::Refused(refusal) => Self::Refused(refusal.kind),
            Unserved::Retry => Self::Retry,
        }
    }
}

/// Makes a call that can be refused.
fn acquire(semaphore: &'static Semaphore, weight: u32) -> Call {
    let request = Request { weight, ..Request::ONE };
    Call {
        semaphore,
        request,
        key: None,
        is_over: false,
        deadline: None,
        is_of_fleet: false,
        waiter: None,
    }
}

/// Enters with a call that cannot wait.
fn enter(semaphore: &'static Semaphore, still_ours: impl Fn() -> bool) -> Entered {
    semaphore.enter(
        Request::ONE,
        None,
        Err(RejectedKind::NoPermits),
        &mut Came::default(),
        still_ours,
    )
}

impl Future for Call {
    type Output = Result<Held, Without>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = context.waker();
        let Self { semaphore, request, key, is_over, ref deadline, is_of_fleet, ref mut waiter } =
            *self;
        let mut came = Came { at: None, deadline: deadline.as_ref() };
        if let Some(waits) = waiter {
            let waited = || Duration::from_nanos(1);
            let mut polled = waits.poll(waker, waited);
            if is_over && polled.is_pending() {
                polled = Poll::Ready(waits.time_out(waited));
            }
            return polled.map_err(Without::from);
        }
        if key.is_none() {
            let taken = if is_of_fleet {
                semaphore.try_acquire_leased(request.weight, || true)
            } else {
                semaphore.try_acquire(request.weight, || true)
            };
            if let Some(held) = taken {
                return Poll::Ready(Ok(held));
            }
        }
        let key = key.map(|key| key as &dyn KeySource);
        match semaphore.enter(request, key, Ok(waker), &mut came, || true) {
            Entered::Admitted(held) => return Poll::Ready(Ok(held)),
            Entered::Queued(waits) => *waiter = Some(waits),
            Entered::Refused(refusal) => {
                return Poll::Ready(Err(Without::Refused(refusal.kind)));
            }
            Entered::Stale => return Poll::Ready(Err(Without::Retry)),
            Entered::Unbound => match semaphore.claim(request.weight, Some(waker)) {
                Claim::Theirs(waits) => *waiter = waits,
                Claim::Ours => return Poll::Ready(Err(Without::Limit)),
                Claim::Bound => return Poll::Ready(Err(Without::Retry)),
            },
        }
        Poll::Pending
    }
}

/// Polls once, with a waker that wakes nobody.
fn poll_once(call: &mut Call) -> Poll<Result<Held, Without>> {
    Pin::new(call).poll(&mut Context::from_waker(Waker::noop()))
}
