//! Cases that no call through the public API comes to at will. The models are in `loom_tests`.

mod absent;
mod away;
mod questions;

use super::{Came, Entered, NewBinding, Semaphore, Unserved};
use crate::policy::{Policy, Request};
use crate::rejected::RejectedKind;
use std::task::{Poll, Waker};
use std::time::Duration;

/// A waker that panics may end a poll in the middle, and the task may poll again.
#[test]
fn a_wait_that_has_ended_is_to_enter_again_and_gives_nothing_back_twice() {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    semaphore.bind(NewBinding::of(&Policy::PLAIN, 1)).expect("it is the first").wake();
    semaphore.serve_all();
    let held = semaphore.try_acquire(1, || true).expect("it is free");
    let request = Request::ONE;
    let join =
        || match semaphore.enter(request, None, Ok(Waker::noop()), &mut Came::default(), || true) {
            Entered::Queued(waiter) => waiter,
            other => panic!("{other:?}"),
        };
    let (mut late, mut next) = (join(), join());
    let refused = late.time_out(|| Duration::ZERO);
    assert!(matches!(refused, Err(Unserved::Refused(r)) if r.kind == RejectedKind::TimedOut));
    // Another call has its slot by now, and is handed the permit.
    let behind = join();
    drop(held);
    let handed = next.poll(Waker::noop(), || Duration::ZERO);
    drop(handed);
    let again = late.poll(Waker::noop(), || unreachable!("it has no permits"));
    assert!(matches!(again, Poll::Ready(Err(Unserved::Retry))), "{again:?}");
    drop((late, next));
    assert_eq!(semaphore.busy(&mut Vec::new()), 1, "the permit that the last one has been handed");
    drop(behind);
    assert_eq!(semaphore.busy(&mut Vec::new()), 0);
}
