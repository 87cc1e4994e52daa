//! The figures of waits under load, when not each wait is measured.

use limit_runtime::{Limiter, Order, Permit};
use limit_tests::figures::total;
use limit_tests::polling::{permit, served, waiter};
use limit_tests::runtimes::one_thread;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::{LocalSet, yield_now};
use tokio::time::advance;
use tokio_test::task;

/// Has tasks call at the same time, far more than there are permits. Runs `look` with the number of the calls that
/// have been admitted, again and again.
async fn load(limiter: &'static Limiter, look: impl Fn(u64)) {
    const TASKS: u64 = 32;
    const EACH: u64 = 300;
    let admitted = Rc::new(Cell::new(0));
    let local = LocalSet::new();
    for _ in 0..TASKS {
        let admitted = Rc::clone(&admitted);
        local.spawn_local(async move {
            for _ in 0..EACH {
                let _permit = limiter.acquire().await;
                admitted.set(admitted.get() + 1);
                yield_now().await;
            }
        });
    }
    local
        .run_until(async {
            while admitted.get() < TASKS * EACH {
                look(admitted.get());
                yield_now().await;
            }
        })
        .await;
    local.await;
    look(TASKS * EACH);
}

#[test]
fn every_call_that_waited_counts_at_every_moment() {
    static LIMITER: Limiter = Limiter::new("sampled-count", 3);
    one_thread().block_on(load(&LIMITER, |admitted| {
        let total = total(&LIMITER);
        assert_eq!(total.admitted_at_once + total.admitted_after_waiting, admitted);
        assert_eq!(total.wait.count, total.admitted_after_waiting);
    }));
}

#[cfg(feature = "inspect")]
#[test]
fn no_bucket_of_waits_loses_calls() {
    use limit_runtime::{find, inspect};
    use std::cell::RefCell;

    static LIMITER: Limiter = Limiter::new("sampled-buckets", 3);
    let bounds: Vec<_> = (10..=42).map(|power| Duration::from_nanos(1 << power)).collect();
    let before = RefCell::new(vec![0; bounds.len() + 1]);
    one_thread().block_on(load(&LIMITER, |_| {
        let Some(handle) = find("sampled-buckets") else { return };
        let counters = inspect::read(&handle).totals.counters;
        let now = counters.waits().map_or_else(|| before.borrow().clone(), |it| it.counts(&bounds));
        assert!(std::iter::zip(&now, &*before.borrow()).all(|(now, before)| now >= before));
        before.replace(now);
    }));
    let waited: u64 = before.borrow().iter().sum();
    assert_eq!(waited, total(&LIMITER).admitted_after_waiting);
}

#[tokio::test(start_paused = true)]
async fn the_first_wait_after_a_burst_is_measured() {
    static LIMITER: Limiter = Limiter::new("sampled-after", 1);
    // All waits of the burst take no time.
    load(&LIMITER, |_| ()).await;
    assert_eq!(total(&LIMITER).wait.max, Duration::ZERO);
    let held = permit(&LIMITER);
    let mut waits = waiter(LIMITER.acquire());
    advance(Duration::from_secs(1)).await;
    drop(held);
    drop(served(&mut waits));
    assert_eq!(total(&LIMITER).wait.max, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn long_waits_among_short_ones_are_measured() {
    static NEWEST_FIRST: Limiter = Limiter::new("sampled-lifo", 1).order(Order::Lifo);
    static BY_PRIORITY: Limiter = Limiter::new("sampled-priority", 1).priority(9);

    /// Lets three calls wait for two seconds each, among hundreds that wait for no time.
    async fn check<C: Future<Output = Permit>>(
        limiter: &Limiter,
        long: impl Fn() -> C,
        short: impl Fn() -> C,
    ) {
        let mut held = short().await;
        let mut waits = Vec::new();
        for round in 0..300 {
            if round == 100 {
                waits = (0..3).map(|_| waiter(long())).collect();
            }
            let mut shorts = [waiter(short()), waiter(short())];
            for _ in 0..2 {
                drop(held);
                let first = usize::from(!shorts[0].is_woken());
                held = served(&mut shorts[first]);
            }
        }
        advance(Duration::from_secs(2)).await;
        drop(held);
        while let Some(first) = waits.iter().position(task::Spawn::is_woken) {
            drop(served(&mut waits.remove(first)));
        }
        let wait = total(limiter).wait;
        assert_eq!((wait.max, wait.total), (Duration::from_secs(2), Duration::from_secs(6)));
    }

    // The newest first: those that wait for long must have come before the short ones.
    let newest = || NEWEST_FIRST.acquire();
    check(&NEWEST_FIRST, newest, newest).await;
    let priority = |priority| move || BY_PRIORITY.acquire().priority(priority);
    check(&BY_PRIORITY, priority(0), priority(9)).await;
}
