//! Refusals of each kind. The functions need the paused clock.

use limit_runtime::{Limiter, Order, Rejected, RejectedKind};
use limit_tests::polling::refused;
use std::time::Duration;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, task};

/// Returns one refusal of each kind but the last two: one needs a deadlock, and the other has an estimate. Nothing has
/// come back at its limiter, so that it has no estimate of when to retry.
pub(crate) async fn all() -> [Rejected; KINDS] {
    let mut all =
        vec![no_permits(), queue_full(), timed_out().await, too_heavy(), closed(), evicted()];
    #[cfg(feature = "fleet")]
    all.push(fleet::unavailable());
    assert!(all.iter().map(Rejected::kind).eq(RejectedKind::ALL[..KINDS].iter().copied()));
    assert!(all.iter().all(|rejected| rejected.retry_after().is_none()));
    all.try_into().expect("there is one of each kind")
}

/// The kinds that there can be: the last of them needs a fleet.
const KINDS: usize = if cfg!(feature = "fleet") { RejectedKind::ALL.len() - 2 } else { 6 };

/// Returns the refusal of a call that would have waited for too long.
pub(crate) async fn would_time_out() -> Rejected {
    let limiter = Limiter::named("late", 1).max_wait(Duration::from_secs(60)).early();
    let mut held = limiter.try_acquire();
    let mut waiting: Vec<_> = (0..10).map(|_| task::spawn(limiter.acquire())).collect();
    for call in &mut waiting {
        assert_pending!(call.poll());
    }
    for call in &mut waiting[..8] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(held);
        held = assert_ready!(call.poll());
    }
    let rejected = refused(limiter.acquire().max_wait(Duration::from_secs(1)));
    // It keeps its estimate when the limiter is gone.
    assert_eq!(rejected.retry_after(), Some(Duration::from_secs(3)));
    rejected
}

/// Returns refusals of the kinds that have an estimate: no permits, a full queue, and a wait that was
/// too long. One permit of each limiter came back within `time`, which is the estimate: 2 ms or more. Each
/// is asked at once, and keeps its estimate.
pub(crate) async fn with_an_estimate(time: Duration) -> [Rejected; 3] {
    let limiter = Limiter::named("busy", 1).max_wait(Duration::ZERO);
    let held = limiter.try_acquire().expect("a permit is free");
    drop(refused(limiter.acquire()));
    drop(held);
    tokio::time::advance(time).await;
    let _held = limiter.try_acquire().expect("a permit is free");
    let no_permits = refused(limiter.acquire());
    assert_eq!(no_permits.retry_after(), Some(time));

    let limiter = Limiter::named("slow", 1).max_waiting(0);
    let held = limiter.try_acquire().expect("a permit is free");
    drop(refused(limiter.acquire()));
    drop(held);
    tokio::time::advance(time).await;
    let _held = limiter.try_acquire().expect("a permit is free");
    let queue_full = refused(limiter.acquire());
    assert_eq!(queue_full.retry_after(), Some(time));

    let wait = Duration::from_millis(1);
    let limiter = Limiter::named("slow", 1).max_wait(wait);
    let held = limiter.try_acquire().expect("a permit is free");
    limiter.acquire().await.expect_err("no permit comes back");
    drop(held);
    tokio::time::advance(time.saturating_sub(2 * wait)).await;
    let _held = limiter.try_acquire().expect("a permit is free");
    let timed_out = limiter.acquire().await.expect_err("no permit comes back");
    assert_eq!(timed_out.retry_after(), Some(time));

    let all = [no_permits, queue_full, timed_out];
    assert_eq!(all.each_ref().map(Rejected::kind), RejectedKind::ALL[..3]);
    assert_eq!(all.each_ref().map(Rejected::retry_after), [Some(time); 3]);
    all
}

fn no_permits() -> Rejected {
    let limiter = Limiter::named("busy", 1);
    let _held = limiter.try_acquire().expect("a permit is free");
    limiter.try_acquire().expect_err("no permit is free")
}

fn queue_full() -> Rejected {
    let limiter = Limiter::named("full", 1).max_waiting(0);
    let _held = limiter.try_acquire().expect("a permit is free");
    refused(limiter.acquire())
}

async fn timed_out() -> Rejected {
    let limiter = Limiter::named("slow", 1).max_wait(Duration::from_millis(50));
    let _held = limiter.try_acquire().expect("a permit is free");
    limiter.acquire().await.expect_err("no permit comes back")
}

fn too_heavy() -> Rejected {
    refused(Limiter::named("small", 2).weight(3).acquire())
}

fn closed() -> Rejected {
    let limiter = Limiter::named("shut", 1).max_waiting(1);
    limiter.close();
    refused(limiter.acquire())
}

fn evicted() -> Rejected {
    let limiter = Limiter::named("newest", 1).max_waiting(1).order(Order::Lifo);
    let _held = limiter.try_acquire().expect("a permit is free");
    let mut older = task::spawn(limiter.acquire());
    assert_pending!(older.poll());
    let mut newer = task::spawn(limiter.acquire());
    assert_pending!(newer.poll());
    assert!(older.is_woken(), "the newer call took its place");
    assert_ready_err!(older.poll())
}

#[cfg(feature = "fleet")]
mod fleet {
    use limit_runtime::fleet::{self, Agent};
    use limit_runtime::{FleetFigures, Limiter, LimiterHandle, Rejected, Scope};
    use std::sync::{Arc, Once};

    #[derive(Debug)]
    struct Silent;

    impl Agent for Silent {
        fn wake(&self, _: &LimiterHandle) {}

        fn figures(&self, _: &str) -> Option<FleetFigures> {
            None
        }
    }

    /// Returns the refusal of a call whose fleet has been stopped.
    pub(super) fn unavailable() -> Rejected {
        static STOPPED: Once = Once::new();
        STOPPED.call_once(|| {
            fleet::start(Arc::new(Silent)).expect("it is the first");
            fleet::stop();
        });
        let limiter = Limiter::named("cut off", 1).scope(Scope::Fleet).max_waiting(1);
        limiter.try_acquire().expect_err("there is no fleet")
    }
}
