//! Limits that hold for each key, and a cap over all keys under which the keys are served in turn.

mod foreign;
mod many;
mod total;
mod with_others;

use limit_runtime::{KeyedLimiter, Limiter, Rejected, RejectedKind, Scope};
use limit_tests::figures::{assert_figures, total};
use limit_tests::occupancy::Inside;
use limit_tests::polling::{assert_waits, at_once, let_in, ready, served, waiter};
use limit_tests::runtimes::{join, one_thread, workers};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::advance;

const MS: Duration = Duration::from_millis(1);

#[test]
fn each_key_has_a_limit_of_its_own() {
    let limiter = Limiter::new("keys-own", 2).keyed();
    let mut held = Vec::new();
    for key in 0..10 {
        for in_use in 1..=2 {
            held.push(at_once(limiter.key(key).acquire()));
            assert_figures(&limiter, key * 2 + in_use, 0);
        }
        assert_eq!(total(&limiter).keys, key + 1);
        let rejected = limiter.key(key).try_acquire().unwrap_err();
        assert_eq!((rejected.limit(), rejected.in_use(), rejected.waiting()), (2, 2, 0));
    }
    let figures_now = total(&limiter);
    assert_eq!((figures_now.limit, figures_now.admitted_at_once), (2, 20));
    drop(held);
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_busy_key_does_not_delay_another() {
    let limiter = Limiter::new("keys-busy", 1).keyed();
    let mut held = at_once(limiter.key("busy").acquire());
    let mut waiting: Vec<_> =
        (0..100).map(|number| (number, waiter(limiter.key("busy").acquire()))).collect();
    for served in 0..100 {
        for other in ["one", "other"] {
            drop(at_once(limiter.key(other).acquire()));
        }
        assert_eq!(total(&limiter).keys, 1, "only the busy one has anything to remember");
        drop(held);
        let (number, permit) = ready(&mut waiting).pop().expect("the next of the key is served");
        assert_eq!(number, served, "first come, first served");
        held = permit;
    }
    drop(held);
    assert_eq!((total(&limiter).keys, total(&limiter).admitted_after_waiting), (0, 100));
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_key_is_counted_while_it_has_holders_or_waiters() {
    let limiter = Limiter::new("keys-counted", 1).keyed();
    let keys = |limiter: &KeyedLimiter| total(limiter).keys;
    let call = limiter.key("a").acquire();
    assert_eq!(keys(&limiter), 0, "it has not been polled");
    let held = at_once(call);
    assert_eq!(keys(&limiter), 1);
    limiter.key("a").try_acquire().unwrap_err();
    let waiting = waiter(limiter.key("a").acquire());
    assert_eq!(keys(&limiter), 1);
    drop(held);
    assert!(waiting.is_woken());
    assert_eq!(keys(&limiter), 1, "it was handed the permit");
    drop(waiting);
    assert_eq!(keys(&limiter), 0);

    limiter.set_limit(0);
    let waiting = waiter(limiter.key("b").acquire());
    assert_eq!(keys(&limiter), 1);
    drop(waiting);
    assert_eq!(keys(&limiter), 0);
    limiter.key("b").try_acquire().unwrap_err();
    assert_eq!(keys(&limiter), 0, "who is refused leaves nothing");

    limiter.set_limit(1);
    let unlimited = at_once(limiter.key("c").acquire().enabled(false));
    let weightless = let_in(limiter.key("c").acquire().weight(0));
    assert_eq!((keys(&limiter), total(&limiter).admitted_at_once), (0, 3));
    drop((unlimited, weightless));
}

#[test]
fn waiters_of_one_key_cancelled_anywhere_leave_the_others_in_order() {
    for cancelled in 0..4 {
        let limiter = Limiter::named("keys-cancelled", 1).keyed();
        let held = at_once(limiter.key(1).acquire());
        let other = at_once(limiter.key(2).acquire());
        let mut waiting: Vec<_> =
            (0..4).map(|number| (number, waiter(limiter.key(1).acquire()))).collect();
        let mut others: Vec<_> =
            (0..2).map(|number| (number, waiter(limiter.key(2).acquire()))).collect();
        drop(waiting.remove(cancelled));
        drop(held);
        for number in (0..4).filter(|&number| number != cancelled) {
            let order: Vec<_> = ready(&mut waiting).iter().map(|(number, _)| *number).collect();
            assert_eq!(order, [number]);
        }
        assert!(ready(&mut others).is_empty());
        drop(other);
        assert_eq!(ready(&mut others).len(), 1);
        assert_eq!(ready(&mut others).len(), 1);
        assert_eq!((total(&limiter).keys, total(&limiter).cancelled), (0, 1));
        assert_figures(&limiter, 0, 0);
    }
}

#[test]
fn a_permit_granted_to_a_cancelled_waiter_goes_to_the_next_of_its_key() {
    let limiter = Limiter::new("keys-handed-on", 1).keyed();
    let held = at_once(limiter.key('a').acquire());
    let first = waiter(limiter.key('a').acquire());
    let mut second = waiter(limiter.key('a').acquire());
    drop(held);
    assert!(first.is_woken());
    assert_waits(&mut second);
    drop(first);
    drop(served(&mut second));
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_changed_limit_holds_for_each_key() {
    let limiter = Limiter::new("keys-set-limit", 1).keyed();
    let mut held: Vec<_> = (0..2_usize).map(|key| at_once(limiter.key(key).acquire())).collect();
    let mut waiting: Vec<_> =
        (0..8).map(|number| (number, waiter(limiter.key(number % 2).acquire()))).collect();
    limiter.set_limit(3);
    assert_eq!(limiter.limit(), Some(3));
    let served = ready(&mut waiting);
    assert_eq!(served.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2, 3]);
    held.extend(served.into_iter().map(|(_, permit)| permit));
    assert_figures(&limiter, 6, 4);

    limiter.set_limit(1);
    for _ in 0..4 {
        held.pop();
        assert!(ready(&mut waiting).is_empty(), "more than the limit are still in");
    }
    drop(held);
    let served = ready(&mut waiting);
    assert_eq!(served.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [4, 5]);
    drop(served);
    assert_eq!(ready(&mut waiting).len(), 2);
    assert_eq!(total(&limiter).keys, 0);

    limiter.set_limit(0);
    let mut paused = waiter(limiter.key(5).acquire());
    let mut heavy = waiter(limiter.key(6).acquire().weight(2));
    limiter.set_limit(1);
    drop(limit_tests::polling::served(&mut paused));
    let rejected = limit_tests::polling::served(&mut heavy).unwrap_err();
    assert_eq!((rejected.kind(), rejected.limit()), (RejectedKind::TooHeavy, 1));
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn each_runtime_has_keys_of_its_own_and_the_process_one_set() {
    static OWN: KeyedLimiter = Limiter::new("keys-runtimes", 1).keyed();
    static SHARED: KeyedLimiter =
        Limiter::new("keys-process", 1).scope(Scope::Process).keyed().total(2);

    let (first, second) = (one_thread(), one_thread());
    let held = first
        .block_on(async { (at_once(OWN.key("a").acquire()), at_once(SHARED.key("a").acquire())) });
    second.block_on(async {
        drop(at_once(OWN.key("a").acquire()));
        assert!(SHARED.key("a").try_acquire().is_err());
        drop(at_once(SHARED.key("b").acquire()));
    });
    assert_eq!((total(&OWN).keys, total(&SHARED).keys), (1, 1));
    drop(held);
    assert_eq!((total(&OWN).keys, total(&SHARED).keys), (0, 0));
}

#[test]
fn a_runtime_that_ends_leaves_no_key_behind() {
    static LIMITER: KeyedLimiter = Limiter::new("keys-ended", 1).keyed().total(3);

    for round in 1..=3 {
        let runtime = one_thread();
        let key: Arc<str> = Arc::from("tenant");
        let (held, mut moved) = runtime.block_on(async {
            let held = at_once(LIMITER.key(Arc::clone(&key)).acquire());
            for number in 0..10 {
                let key = Arc::clone(&key);
                tokio::spawn(async move {
                    let _permit = LIMITER.key((key, number % 4)).acquire().await;
                    std::future::pending::<()>().await;
                });
            }
            yield_now().await;
            (held, waiter(LIMITER.key(Arc::clone(&key)).acquire()))
        });
        assert_eq!(total(&LIMITER).keys, 5, "one and four pairs");
        drop(runtime);
        assert!(moved.is_woken());
        let again = one_thread();
        let permit = again.block_on(async { at_once(&mut *moved) });
        drop((permit, held));
        drop(moved);
        drop(again);
        drop(one_thread().block_on(async { at_once(LIMITER.key(0_u8).acquire()) }));
        assert_figures(&LIMITER, 0, 0);
        assert_eq!(total(&LIMITER).keys, 0);
        assert_eq!(Arc::strong_count(&key), 1, "the keys were dropped, in round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_of_keyed_calls_are_measured() {
    let limiter = Limiter::new("keys-waits", 1).keyed();
    for key in 0..20_u32 {
        let held = at_once(limiter.key(key).acquire());
        let mut waiting = waiter(limiter.key(key).acquire());
        advance(key * MS).await;
        drop(held);
        drop(served(&mut waiting));
    }
    let figures = total(&limiter);
    assert_eq!((figures.wait.count, figures.wait.max), (20, 19 * MS));
    assert_eq!(figures.wait.total, 190 * MS);
    assert_eq!((figures.admitted_at_once, figures.admitted_after_waiting), (20, 20));
}

/// Calls on four workers that wait, are refused or are cancelled: neither a key nor all keys
/// together exceed their limit.
#[test]
fn in_a_storm_neither_a_key_nor_all_together_exceed_their_limits() {
    const KEYS: usize = 20;
    static OF_KEY: [Inside; KEYS] = [const { Inside::new() }; KEYS];
    static OF_ALL: Inside = Inside::new();

    async fn call(limiter: Arc<KeyedLimiter<Rejected>>, number: usize) -> bool {
        let key = number % KEYS;
        let Ok(_permit) = limiter.key(key).acquire().await else {
            return false;
        };
        let _inside = (OF_KEY[key].enter(), OF_ALL.enter());
        yield_now().await;
        // The calls may come slowly: none leaves before as many have been inside as the limit
        // allows.
        while OF_ALL.most() < 5 {
            yield_now().await;
        }
        true
    }

    let limiter = Arc::new(Limiter::new("keys-storm", 2).max_waiting(40).keyed().total(5));
    workers(4).block_on(async {
        for _ in 0..10 {
            let tasks: Vec<_> =
                (0..1000).map(|number| tokio::spawn(call(Arc::clone(&limiter), number))).collect();
            for (number, task) in tasks.iter().enumerate() {
                if number % 10 == 3 {
                    task.abort();
                }
            }
            for task in tasks {
                let _ = task.await;
            }
        }
        let again = (0..1000).map(|number| tokio::spawn(call(Arc::clone(&limiter), number)));
        let admitted = join(again.collect()).await;
        assert!(admitted.contains(&true));
    });
    assert_eq!(OF_ALL.most(), 5);
    for (key, inside) in OF_KEY.iter().enumerate() {
        assert_eq!(inside.now(), 0);
        assert!((1..=2).contains(&inside.most()), "{} of key {key}", inside.most());
    }
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
    let free = |key: usize| limiter.key(key).try_acquire().expect("one of the total is free");
    let permits: Vec<_> = (0..5).map(free).collect();
    assert!(limiter.key(9_usize).try_acquire().is_err(), "all of the total are out");
    drop(permits);
}
