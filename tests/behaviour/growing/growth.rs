//! A permit that grows and may give up.

use limit_runtime::{Permit, Rejected};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// The result is `None` if it was given up.
pub(super) type Grown = (Permit, Option<Result<(), Rejected>>);

/// A permit that grows, and that comes back if it gives up.
pub(super) struct Growth {
    future: Pin<Box<dyn Future<Output = Grown>>>,
    gives_up: Arc<AtomicBool>,
}

impl Growth {
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Grown> {
        self.future.as_mut().poll(context)
    }

    /// Drops the future of the growth, and returns the permit.
    pub(super) fn give_up(mut self) -> Permit {
        self.gives_up.store(true, Ordering::Relaxed);
        match self.poll(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready((permit, None)) => permit,
            _ => panic!("it has given up"),
        }
    }
}

pub(super) fn growth(mut permit: Permit, weight: u32) -> Growth {
    let gives_up = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&gives_up);
    let future = Box::pin(async move {
        let mut resize = permit.resize(weight);
        let result = std::future::poll_fn(|context| {
            if flag.load(Ordering::Relaxed) {
                return Poll::Ready(None);
            }
            Pin::new(&mut resize).poll(context).map(Some)
        });
        let result = result.await;
        drop(resize);
        (permit, result)
    });
    Growth { future, gives_up }
}
