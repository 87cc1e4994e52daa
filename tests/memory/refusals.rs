//! Calls that are refused at once.

use allocation_counter::measure;
use limit_runtime::{Limiter, Rejected};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[test]
fn a_call_that_is_refused_at_once_allocates_nothing() {
    let limiter = Limiter::new("memory-refused", 1).max_waiting(0);
    let _held = limiter.try_acquire().expect("a permit is free");
    let counted = measure(|| {
        let mut last: Option<Rejected> = None;
        for _ in 0..100 {
            let tried = limiter.try_acquire().expect_err("no permit is free");
            let polled = pin!(limiter.acquire()).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(Err(rejected)) = polled else { panic!("no call may wait") };
            drop((tried, last.replace(rejected.clone())));
        }
    });
    assert_eq!(counted.count_total, 0);
}
