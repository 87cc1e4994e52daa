//! Wakers of the worst kind.

use limit_runtime::{Acquire, Limiter};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

/// Returns a waker that panics when it wakes.
pub fn panicking() -> Waker {
    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("in a waker");
        }
    }

    Waker::from(Arc::new(Panics))
}

/// Queues a call whose waker panics when the call is handed its permit.
#[track_caller]
pub fn panics_when_woken(limiter: &Limiter) -> Pin<Box<Acquire<'_>>> {
    let mut call = Box::pin(limiter.acquire());
    assert!(call.as_mut().poll(&mut Context::from_waker(&panicking())).is_pending());
    call
}
