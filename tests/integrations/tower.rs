//! Limiters as layers, for tower and the crates that use it.

mod contract;
mod life;
mod panics;
mod refusals;
mod reserving;
mod runtimes;
mod shares;
mod starvation;

#[cfg(all(feature = "axum", feature = "http-body"))]
mod adapting;
#[cfg(all(feature = "axum", feature = "http-body"))]
mod axum;
#[cfg(feature = "http-body")]
mod body;
mod connectors;
#[cfg(all(feature = "axum", feature = "http-body"))]
mod overload;
#[cfg(all(feature = "tonic", feature = "http-body"))]
mod tonic;
#[cfg(feature = "http-body")]
mod upgrades;

use limit_tests::watchdog::in_time;
use std::fmt::{self, Debug};
use std::task::Poll;
use tokio::task::yield_now;
use tokio_test::task::{self, Spawn};
use tokio_test::{assert_ready, assert_ready_ok};
use tower::Service;

/// An error of an inner service.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

/// An inner service that answers at once.
async fn next(number: u32) -> Result<u32, Broken> {
    number.checked_add(1).ok_or(Broken)
}

fn poll_ready<S, Request>(service: &mut S) -> Poll<Result<(), S::Error>>
where
    S: Service<Request>,
{
    task::spawn(()).enter(|context, _| service.poll_ready(context))
}

/// Makes a call of a service that is ready, and does not poll it.
#[track_caller]
fn call<S, Request>(service: &mut S, request: Request) -> Spawn<S::Future>
where
    S: Service<Request>,
    S::Error: Debug,
{
    assert_ready_ok!(poll_ready(service), "the service is ready");
    task::spawn(service.call(request))
}

/// Returns the answer of a call that was woken for it.
#[track_caller]
fn answered<F: Future>(call: &mut Spawn<F>) -> F::Output {
    assert!(call.is_woken(), "the call was woken");
    assert_ready!(call.poll(), "the call is done")
}

/// Lets other tasks run until a condition holds. For conditions that depend on a network.
async fn until(condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            yield_now().await;
        }
    };
    in_time(met).await;
}
