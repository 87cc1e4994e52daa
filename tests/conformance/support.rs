//! Runs and polls futures, and looks limiters up.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// Runs a future on a runtime of its own.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(future)
}

/// Polls a future once; returns its output, if it has one.
#[allow(dead_code, reason = "not every test binary that includes this file needs it")]
pub(crate) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let once = std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    });
    once.await
}

/// Asserts that each function in `module` has a limiter that has admitted a call.
#[allow(dead_code, reason = "not every test binary that includes this file needs it")]
pub(crate) fn assert_limited(module: &str, functions: &[&str]) {
    for function in functions {
        let name = format!("{}::{}", module, function);
        let limiter = limit_runtime::find(&name).unwrap_or_else(|| panic!("no limiter {}", name));
        assert!(limiter.snapshot().total.admitted_at_once > 0, "{} let nobody in", name);
    }
}
