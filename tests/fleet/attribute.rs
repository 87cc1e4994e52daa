//! The attribute's options for a fleet.

use super::{grant, lease_of, started, take_woken};
use limit_runtime::{OnUnavailable, Rejected, RejectedKind, concurrency_limit, find};
use std::cell::Cell;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio_test::{assert_pending, assert_ready, task};

/// Counts its drops.
struct Dropped<'a>(&'a Cell<u32>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[concurrency_limit(3, scope = fleet, name = "attribute-cancels", on_lease_lost = cancel)]
async fn cancels(dropped: &Cell<u32>, ends: bool) -> Result<u32, Rejected> {
    let _dropped = Dropped(dropped);
    if ends {
        return Ok(7);
    }
    pending().await
}

#[test]
fn with_cancel_the_body_is_dropped_when_the_lease_is_lost() {
    let _turn = started();
    let dropped = Cell::new(0);
    let mut first = task::spawn(cancels(&dropped, false));
    assert_pending!(first.poll());
    let lease = lease_of("attribute-cancels");
    grant(&lease, 3);
    assert_pending!(first.poll());
    let value = assert_ready!(task::spawn(cancels(&dropped, true)).poll());
    assert_eq!((value.expect("it ends"), dropped.get()), (7, 1));

    lease.lapse();
    assert!(first.is_woken());
    let rejected = assert_ready!(first.poll()).expect_err("the lease is lost");
    assert_eq!((rejected.kind(), dropped.get()), (RejectedKind::Unavailable, 2));
    assert_eq!(
        rejected.to_string(),
        "the lease of concurrency limit `attribute-cancels` ended while the call ran: it was not \
         renewed in time, or the fleet was stopped"
    );
    assert_eq!(lease.load().running, 0);
    assert_eq!(find("attribute-cancels").expect("in use").snapshot().total.rejected.unavailable, 1);
}

#[concurrency_limit(
    3, scope = fleet, name = "attribute-gives", on_lease_lost = cancel,
    on_reject = |rejected| rejected.kind().to_string().len() + offset
)]
async fn gives(offset: usize) -> usize {
    pending::<usize>().await
}

#[test]
fn with_cancel_a_lost_call_gives_the_value_of_on_reject() {
    let _turn = started();
    let mut call = task::spawn(gives(100));
    assert_pending!(call.poll());
    grant(&lease_of("attribute-gives"), 1);
    assert_pending!(call.poll());
    lease_of("attribute-gives").lapse();
    assert_eq!(assert_ready!(call.poll()), 111);
}

#[concurrency_limit(3, scope = fleet, name = "attribute-moves", on_lease_lost = cancel)]
fn moves(text: &str) -> impl Future<Output = Result<String, Rejected>> + Send + use<> {
    let owned = text.to_owned();
    async move {
        tokio::task::yield_now().await;
        Ok(owned)
    }
}

#[test]
fn with_cancel_a_function_that_returns_a_future_may_move_what_it_has() {
    let _turn = started();
    let mut call = task::spawn(moves("four"));
    assert_pending!(call.poll());
    grant(&lease_of("attribute-moves"), 1);
    assert_pending!(call.poll());
    assert_eq!(assert_ready!(call.poll()).expect("it is not lost"), "four");
}

static FINISHED: AtomicUsize = AtomicUsize::new(0);

#[concurrency_limit(3, scope = fleet, name = "attribute-finishes", on_lease_lost = finish)]
async fn finishes() {
    tokio::task::yield_now().await;
    FINISHED.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn with_finish_the_body_runs_on() {
    let _turn = started();
    let mut call = task::spawn(finishes());
    assert_pending!(call.poll());
    grant(&lease_of("attribute-finishes"), 1);
    assert_pending!(call.poll());
    lease_of("attribute-finishes").lapse();
    assert_ready!(call.poll());
    assert_eq!(FINISHED.load(Ordering::Relaxed), 1);
}

#[concurrency_limit(3, scope = fleet, name = "attribute-refuses", on_unavailable = refuse)]
async fn refuses() -> Result<(), Rejected> {
    Ok(())
}

#[concurrency_limit(3, scope = fleet, name = "attribute-waits", on_unavailable = wait)]
async fn waits() {}

const PERMITS: u32 = 2;

#[concurrency_limit(3, scope = fleet, name = "attribute-local", on_unavailable = local(PERMITS))]
async fn local() {}

#[test]
fn on_unavailable_says_what_the_agent_is_to_do() {
    let _turn = started();
    let mut calls = task::spawn(async { tokio::join!(refuses(), waits(), local()) });
    assert_pending!(calls.poll());
    let says = |name| find(name).expect("it is in use").on_unavailable();
    assert_eq!(says("attribute-refuses"), Some(OnUnavailable::Refuse));
    assert_eq!(says("attribute-waits"), Some(OnUnavailable::Wait));
    assert_eq!(says("attribute-local"), Some(OnUnavailable::Local(2)));
    assert_eq!(take_woken("attribute-local"), 1);
    lease_of("attribute-refuses").set_unavailable(true);
    let _ = calls.poll();
    let mut again = task::spawn(refuses());
    let rejected = assert_ready!(again.poll()).expect_err("nobody is let in");
    assert_eq!(rejected.kind(), RejectedKind::Unavailable);
}
