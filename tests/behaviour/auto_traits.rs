//! Auto traits: the types that may cross threads.

use limit_runtime::{
    Acquire, Drain, Event, Figures, Key, Limiter, LimiterHandle, Permit, Rejected, RejectedCounts,
    RejectedKind, Resize, RuntimeSnapshot, Scope, Snapshot, WaitTimes, concurrency_limit,
};
use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::panic::UnwindSafe;

fn shared_between_threads<T: Send + Sync + Debug>() {}
fn owned<T: Send + Sync + Debug + 'static>() {}
fn unpin<T: Unpin>() {}
fn sent<T: Send>(_: &T) {}

#[test]
fn every_public_type_is_send_and_sync() {
    owned::<Permit>();
    owned::<Limiter>();
    owned::<LimiterHandle>();
    owned::<Rejected>();
    owned::<RejectedKind>();
    owned::<(Snapshot, RuntimeSnapshot, Figures, RejectedCounts, WaitTimes, Scope)>();
    shared_between_threads::<Acquire<'_>>();
    shared_between_threads::<Resize<'_>>();
    shared_between_threads::<Acquire<'_, Rejected, Key<String>>>();
    owned::<(Drain, Event)>();
    unpin::<(Acquire<'_>, Acquire<'_, Rejected, Key<String>>, Permit, Drain, Resize<'_>)>();
}

#[test]
fn a_refusal_is_an_error_that_can_be_boxed() {
    fn boxed(rejected: Rejected) -> Box<dyn Error + Send + Sync + 'static> {
        rejected.into()
    }

    fn unwinds<T: UnwindSafe>() {}
    unwinds::<Rejected>();
    let limiter = Limiter::new("auto-traits-boxed", 0);
    let error = boxed(limiter.try_acquire().unwrap_err());
    assert!(error.downcast_ref::<Rejected>().is_some());
}

#[test]
fn an_annotated_functions_future_is_send_and_sync_as_the_plain_ones() {
    static LIMITER: Limiter = Limiter::new("auto-traits-annotated", 1);

    #[concurrency_limit(1)]
    async fn plain(text: &str) -> usize {
        tokio::task::yield_now().await;
        text.len()
    }

    #[concurrency_limit(limiter = LIMITER)]
    async fn generic<T: Send>(value: T) -> T {
        tokio::task::yield_now().await;
        value
    }

    fn sent_and_shared<T: Send + Sync>(_: &T) {}
    sent_and_shared(&plain("x"));
    sent_and_shared(&generic(5));
    sent(&generic(Cell::new(5)));
    sent(&LIMITER.acquire());
}
