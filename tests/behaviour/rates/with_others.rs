//! A rate beside keys, orders, weights and deadlines.

use super::{MINUTE, MS, NEARLY_A_MINUTE, SECOND, assert_windows};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use limit_runtime::{KeyedLimiter, Limiter, Order, RejectedKind, Scope};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{at_once, let_in, permit, ready, refused, served, waiter};
use limit_tests::runtimes::paused;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep, timeout};

#[tokio::test(start_paused = true)]
async fn each_key_has_windows_of_its_own() {
    let limiter = Limiter::new("rate-keys", 2).per(MINUTE).keyed();
    for key in 0..3_u32 {
        drop((at_once(limiter.key(key).acquire()), at_once(limiter.key(key).acquire())));
        let rejected = limiter.key(key).try_acquire().unwrap_err();
        assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 0, 0));
        advance(SECOND).await;
    }
    let begin = Instant::now();
    for key in 0..3_u32 {
        drop(limiter.key(key).acquire().await);
        assert_eq!(begin.elapsed(), 57 * SECOND + key * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_known_until_its_last_window_is_over() {
    let limiter = Limiter::new("rate-keys-known", 2).per(MINUTE).keyed();
    let key: Arc<str> = Arc::from("tenant");
    drop(at_once(limiter.key(Arc::clone(&key)).acquire()));
    advance(30 * SECOND).await;
    drop(at_once(limiter.key(Arc::clone(&key)).acquire()));
    for (keys, later) in [(1, 29 * SECOND), (1, 30 * SECOND), (0, SECOND)] {
        advance(later).await;
        assert_eq!(total(&limiter).keys, keys);
    }
    // The look forgot the starts; the next call drops the key itself.
    drop(at_once(limiter.key("another").acquire()));
    assert_eq!(Arc::strong_count(&key), 1);
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn waiters_of_several_keys_are_served_when_their_windows_end() {
    let limiter = Arc::new(Limiter::new("rate-keys-wait", 1).per(MINUTE).keyed());
    let starts = Arc::new(Mutex::new(BTreeMap::<u64, Vec<Instant>>::new()));
    let begin = Instant::now();
    let mut calls = Vec::new();
    for number in 0..30_u64 {
        let (limiter, starts) = (Arc::clone(&limiter), Arc::clone(&starts));
        calls.push(tokio::spawn(async move {
            sleep(SECOND * u32::try_from(number % 3).unwrap()).await;
            let permit = limiter.key(number % 3).acquire().await;
            starts.lock().unwrap().entry(number % 3).or_default().push(Instant::now());
            sleep(SECOND * u32::try_from(number * 7 % 90).unwrap()).await;
            drop(permit);
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    let starts = std::mem::take(&mut *starts.lock().unwrap());
    for (key, starts) in starts {
        assert_eq!(starts.len(), 10);
        assert_eq!(starts[0] - begin, SECOND * u32::try_from(key).unwrap());
        assert_windows(&starts, 1, MINUTE);
    }
    sleep(MINUTE).await;
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn all_keys_together_start_no_more_often_than_the_total() {
    let limiter = Arc::new(Limiter::new("rate-total", 2).per(MINUTE).keyed().total(3));
    let starts = Arc::new(Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for number in 0..40_u32 {
        let (limiter, starts) = (Arc::clone(&limiter), Arc::clone(&starts));
        calls.push(tokio::spawn(async move {
            let _permit = limiter.key(number % 4).acquire().await;
            starts.lock().unwrap().push((Instant::now(), number % 4));
        }));
    }
    let begin = Instant::now();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(begin.elapsed(), 13 * MINUTE, "forty, three a minute");
    let starts = std::mem::take(&mut *starts.lock().unwrap());
    let of = |wanted: Option<u32>| -> Vec<_> {
        let mine = |key: u32| wanted.is_none_or(|wanted| wanted == key);
        starts.iter().filter(|(_, key)| mine(*key)).map(|(at, _)| *at).collect()
    };
    assert_windows(&of(None), 3, MINUTE);
    for key in 0..4 {
        assert_windows(&of(Some(key)), 2, MINUTE);
    }
    // The keys take turns: after any number of starts no key is more than one start ahead of the
    // keys that wait.
    let mut served = [0_i32; 4];
    for (_, key) in &starts[3..] {
        served[*key as usize] += 1;
        let (most, least) = (served.iter().max().unwrap(), served.iter().min().unwrap());
        assert!(most - least <= 2, "{served:?}");
    }
    sleep(MINUTE).await;
    assert_eq!(total(&limiter).keys, 0);
}

#[tokio::test(start_paused = true)]
async fn the_newest_is_served_when_a_window_ends() {
    let limiter = Limiter::new("rate-lifo", 1).per(MINUTE).order(Order::Lifo).max_waiting(3);
    drop(let_in(limiter.acquire()));
    let mut waiting: Vec<_> = (0..4).map(|number| (number, waiter(limiter.acquire()))).collect();
    let (oldest, result) = ready(&mut waiting).remove(0);
    assert_eq!((oldest, result.unwrap_err().kind()), (0, RejectedKind::Evicted));
    for expected in [3, 2, 1] {
        sleep(MINUTE).await;
        yield_now().await;
        let (number, result) = ready(&mut waiting).pop().expect("one is served");
        assert_eq!(number, expected);
        drop(result.unwrap());
    }
    assert_figures(&limiter, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn the_highest_is_served_when_a_window_ends() {
    let limiter = Arc::new(Limiter::new("rate-priorities", 1).per(SECOND));
    drop(permit(&limiter));
    let order = Arc::new(Mutex::new(Vec::new()));
    let calls: Vec<_> = [1, 5, 3]
        .map(|priority| {
            let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
            tokio::spawn(async move {
                let _permit = limiter.acquire().priority(priority).await;
                order.lock().unwrap().push(priority);
            })
        })
        .into();
    limit_tests::runtimes::join(calls).await;
    assert_eq!(*order.lock().unwrap(), [5, 3, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_heavy_call_counts_for_as_many_starts() {
    let limiter = Limiter::new("rate-weights", 3).per(MINUTE);
    drop(let_in(limiter.acquire().weight(2)));
    advance(10 * SECOND).await;
    drop(permit(&limiter));
    limiter.try_acquire().unwrap_err();
    let begin = Instant::now();
    drop(limiter.acquire().weight(3).await.unwrap());
    assert_eq!(begin.elapsed(), MINUTE, "when both windows are over");
    assert_eq!(refused(limiter.acquire().weight(4)).kind(), RejectedKind::TooHeavy);
    for _ in 0..10 {
        drop(let_in(limiter.acquire().weight(0)));
    }
    drop(limiter.acquire().weight(1).await.unwrap());
    assert_eq!(begin.elapsed(), 2 * MINUTE, "those without weight started nothing");
}

#[tokio::test(start_paused = true)]
async fn a_call_times_out_while_permits_cool_and_takes_one_that_cools_in_time() {
    let limiter = Limiter::new("rate-max-wait", 1).per(MINUTE);
    drop(permit(&limiter));
    let rejected = limiter.acquire().max_wait(59 * SECOND).await.unwrap_err();
    assert_eq!((rejected.kind(), rejected.waited()), (RejectedKind::TimedOut, 59 * SECOND));
    drop(limiter.acquire().max_wait(SECOND + MS).await.expect("it cools in time"));
    assert_eq!(total(&limiter).rejected.timed_out, 1);
    assert_figures(&limiter, 0, 0);
}

/// The permit is free at this moment: a call that came now would take it.
#[tokio::test(start_paused = true)]
async fn a_permit_that_has_cooled_when_the_deadline_comes_is_taken() {
    let limiter = Limiter::new("rate-same-tick", 1).per(MINUTE);
    drop(permit(&limiter));
    drop(limiter.acquire().max_wait(MINUTE).await.expect("it has cooled"));
    assert_figures(&limiter, 0, 0);
}

/// The poll that finds its time over lets the call in, whether or not its waker was called.
#[tokio::test(start_paused = true)]
async fn a_permit_that_has_cooled_when_the_deadline_comes_is_taken_by_the_poll_that_finds_it() {
    let limiter = Limiter::new("rate-same-poll", 1).per(MINUTE);
    drop(permit(&limiter));
    let mut call = std::pin::pin!(limiter.acquire().max_wait(MINUTE));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    // The task that watches the clock has begun, and is not polled again before this task is.
    yield_now().await;
    advance(MINUTE).await;
    let polled = call.as_mut().poll(&mut context);
    assert!(matches!(polled, Poll::Ready(Ok(_))), "{polled:?}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_one_that_times_out_is_served_when_the_window_ends() {
    let limiter = Arc::new(Limiter::new("rate-watcher-times-out", 1).per(MINUTE));
    drop(permit(&limiter));
    let begin = Instant::now();
    let first = waiter(limiter.acquire().max_wait(10 * SECOND));
    let second = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { drop(limiter.acquire().await) }
    });
    let (result, second) = tokio::join!(first, second);
    assert_eq!(result.unwrap_err().kind(), RejectedKind::TimedOut);
    second.unwrap();
    assert_eq!(begin.elapsed(), MINUTE);
}

#[tokio::test(start_paused = true)]
async fn closing_and_draining_do_not_wait_for_windows() {
    let limiter = Limiter::new("rate-drained", 2).per(MINUTE).max_waiting(5);
    let held = let_in(limiter.acquire());
    drop(let_in(limiter.acquire()));
    let mut waiting = waiter(limiter.acquire());
    limiter.close();
    assert_eq!(served(&mut waiting).unwrap_err().kind(), RejectedKind::Closed);
    let mut drain = waiter(limiter.drain());
    drop(held);
    assert_eq!(served(&mut drain), 1);
    limiter.reopen();
    limiter.try_acquire().unwrap_err();
    advance(MINUTE).await;
    drop(limiter.try_acquire().unwrap());
}

/// A call that moves to another runtime takes its key along.
#[test]
fn calls_of_several_keys_that_move_on_are_served_when_their_first_runtime_has_ended() {
    let limiter =
        Limiter::new("rate-keys-move", 1).per(MINUTE).keyed().total(2).scope(Scope::Process);
    let (first, second) = (paused(), paused());
    let mut calls = FuturesUnordered::new();
    first.block_on(async {
        drop((at_once(limiter.key(0).acquire()), at_once(limiter.key(1).acquire())));
        let limiter = &limiter;
        let call = |key| async move {
            drop(limiter.key(key).acquire().await);
            key
        };
        calls.extend([0, 1, 1, 0, 2].map(call));
        assert!(timeout(SECOND, calls.next()).await.is_err());
    });
    drop(first);
    second.block_on(async {
        let mut keys = Vec::new();
        while let Ok(Some(key)) = timeout(2 * MINUTE, calls.next()).await {
            keys.push(key);
        }
        keys.sort_unstable();
        assert_eq!(keys, [0, 0, 1, 1, 2]);
        sleep(MINUTE).await;
        assert_eq!(total(&limiter).keys, 0);
    });
}

/// Permits that cool of a dropped limiter do not count for the next one, which may reuse its
/// storage.
#[tokio::test(start_paused = true)]
async fn a_limiter_that_goes_while_permits_cool_leaves_nothing_to_the_next() {
    for scope in [Scope::Runtime, Scope::Process] {
        for _ in 0..5 {
            let limiter = Arc::new(Limiter::named("rate-goes", 2).per(MINUTE).scope(scope));
            drop((permit(&limiter), permit(&limiter)));
            let waiting = tokio::spawn({
                let limiter = Arc::clone(&limiter);
                async move { drop(limiter.acquire().await) }
            });
            sleep(SECOND).await;
            assert_figures(&limiter, 0, 1);
            waiting.abort();
            waiting.await.unwrap_err();
        }
        let limiter = Limiter::named("rate-goes", 1).scope(scope);
        for _ in 0..3 {
            drop(permit(&limiter));
        }
        limit_tests::figures::assert_all_free(&limiter);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_enabled_starts_nothing() {
    let limiter = Limiter::new("rate-enabled", 1).per(MINUTE);
    for _ in 0..5 {
        drop(at_once(limiter.acquire().enabled(false)));
    }
    drop(permit(&limiter));
    drop(at_once(limiter.acquire().enabled(false)));
    sleep(NEARLY_A_MINUTE).await;
    limiter.try_acquire().unwrap_err();
}

/// A key whose drop reads all limiters.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Nosy;

impl Drop for Nosy {
    fn drop(&mut self) {
        static USED: Limiter = Limiter::new("rates-nosy-keys", 1);
        drop(limit_runtime::limiters());
        drop(limit_runtime::find("rates-nosy").map(|limiter| limiter.snapshot()));
        drop(USED.try_acquire());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_forgotten_by_a_reading_may_look_at_all_limiters_when_it_is_dropped() {
    let once = async |limiter: &KeyedLimiter| {
        drop(limiter.key(Nosy).acquire().await);
        advance(MS * 20).await;
    };
    let limiter = Limiter::new("rates-nosy", 1).per(MS * 10).keyed();
    once(&limiter).await;
    assert_eq!(limiter.snapshot().total.keys, 0);
    once(&limiter).await;
    drop(limiter);
    assert!(limit_runtime::find("rates-nosy").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_limiter_is_gone_although_the_keys_that_it_leaves_panic_when_they_are_dropped() {
    thread_local! {
        static ARMED: Cell<bool> = const { Cell::new(false) };
    }

    /// A key that panics when it is dropped, once it is armed.
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Panics(u8);

    impl Drop for Panics {
        fn drop(&mut self) {
            assert!(!ARMED.get(), "in a key");
        }
    }

    let limiter = Limiter::new("rates-panicking-keys", 1).per(MS * 10).keyed();
    for key in 0..3 {
        drop(limiter.key(Panics(key)).acquire().await);
    }
    advance(MS * 20).await;
    ARMED.set(true);
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(limiter)));
    ARMED.set(false);
    assert!(dropped.is_err(), "the first panic goes on");
    assert!(limit_runtime::find("rates-panicking-keys").is_none());
    let next = Limiter::new("rates-panicking-keys", 1);
    drop(at_once(next.acquire()));
    assert_eq!(next.name(), "rates-panicking-keys", "nobody has the name any more");
}
