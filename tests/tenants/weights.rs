//! Weights of keys.

use limit_runtime::{KeyedLimiter, Limiter, Order, Permit, concurrency_limit};
use limit_tests::polling::{assert_waits, at_once, ready, served, waiter};
use std::collections::BTreeMap;

/// Returns how many calls of each key are admitted while permits come back one by one, the oldest first, and each key
/// always has calls that wait.
fn shared_out(limiter: &KeyedLimiter, weights: &[u32], releases: usize) -> BTreeMap<usize, usize> {
    let total = limiter.snapshot().total.total.expect("it has a total");
    let mut held: Vec<(usize, Permit)> =
        (0..total).map(|_| (99, at_once(limiter.key(99_usize).acquire()))).collect();
    let call = |key: usize| waiter(limiter.key(key).key_weight(weights[key]).acquire());
    let mut waiting: Vec<_> = (0..weights.len()).map(|key| (key, call(key))).collect();
    for key in 0..weights.len() {
        waiting.extend((0..total).map(|_| (key, call(key))));
    }
    let mut in_use = BTreeMap::new();
    for _ in 0..releases {
        let (key, permit) = held.remove(0);
        drop(permit);
        if key < weights.len() {
            *in_use.entry(key).or_insert(0) -= 1;
        }
        for (key, permit) in ready(&mut waiting) {
            held.push((key, permit));
            *in_use.entry(key).or_insert(0) += 1;
            waiting.push((key, call(key)));
        }
        assert_eq!(held.len(), total, "no permit is idle while calls wait");
    }
    in_use
}

#[test]
fn waiting_keys_have_permits_of_the_total_in_proportion_to_their_weights() {
    for (weights, expected) in [
        (&[1, 1, 1][..], [4, 4, 4]),
        (&[1, 2, 3], [2, 4, 6]),
        (&[5, 5, 2], [5, 5, 2]),
        (&[1, 1, 10], [1, 1, 10]),
    ] {
        let limiter = Limiter::named("weights-parts", 20).keyed().total(12);
        let in_use = shared_out(&limiter, weights, 200);
        let in_use: Vec<_> = in_use.into_values().collect();
        assert_eq!(in_use, expected, "weights {weights:?}");
    }
}

/// Returns how many calls of each key are admitted of the next ones, while each key always has calls that wait, and a call
/// holds its permit until `lasts` others have been admitted.
fn admitted(
    total: usize,
    weights: &[u32],
    calls: usize,
    lasts: impl Fn(usize) -> usize,
) -> (Vec<usize>, Vec<f64>) {
    let limiter = Limiter::new("weights-in-time", 100).keyed().total(total);
    let mut held: Vec<_> =
        (0..total).map(|number| (number, None, at_once(limiter.key(99_usize).acquire()))).collect();
    let call = |key: usize| waiter(limiter.key(key).key_weight(weights[key]).acquire());
    let mut waiting: Vec<_> = (0..weights.len()).map(|key| (key, call(key))).collect();
    for key in 0..weights.len() {
        waiting.extend((0..total).map(|_| (key, call(key))));
    }
    let (mut counts, mut in_use) = (vec![0; weights.len()], vec![0.0; weights.len()]);
    let mut now = 0;
    while counts.iter().sum::<usize>() < calls {
        held.retain(|&(until, ..)| until > now);
        for (key, permit) in ready(&mut waiting) {
            counts[key] += 1;
            held.push((now + lasts(key), Some(key), permit));
            waiting.push((key, call(key)));
        }
        for key in held.iter().filter_map(|&(_, key, _)| key) {
            in_use[key] += 1.0;
        }
        now += 1;
    }
    let sum: f64 = in_use.iter().sum();
    (counts, in_use.into_iter().map(|time| time / sum).collect())
}

#[test]
fn keys_share_the_total_in_time_where_it_has_fewer_permits_than_keys_wait() {
    assert_eq!(admitted(1, &[4, 1], 50, |_| 1).0, [40, 10]);
    assert_eq!(admitted(1, &[3, 2], 50, |_| 1).0, [30, 20]);
    assert_eq!(admitted(1, &[5, 3], 80, |_| 1).0, [50, 30]);
    let mut many = vec![1; 10];
    many[0] = 10;
    let (counts, _) = admitted(4, &many, 1_900, |_| 4);
    assert!((990..=1_010).contains(&counts[0]), "{counts:?}");
    assert!(counts[1..].iter().all(|count| (98..=102).contains(count)), "{counts:?}");
}

#[test]
fn keys_share_the_total_in_proportion_however_long_their_calls_take() {
    for lasts in [[8, 8, 8], [8, 80, 8], [80, 8, 8]] {
        let (_, parts) = admitted(40, &[3, 1, 1], 5_000, |key| lasts[key]);
        for (part, expected) in parts.iter().zip([0.6, 0.2, 0.2]) {
            assert!((part - expected).abs() < 0.03, "{lasts:?}: {parts:?}");
        }
    }
}

#[test]
fn a_heavy_call_that_keeps_permits_from_others_is_not_overtaken() {
    let limiter = Limiter::new("weights-heavy", 10).keyed().total(10);
    let _of_a = at_once(limiter.key('a').acquire().weight(3));
    let mut of_b: Vec<_> = (0..3).map(|_| at_once(limiter.key('b').acquire())).collect();
    let of_c = at_once(limiter.key('c').key_weight(2).acquire());
    // It wants 5 where 3 are free.
    let mut heavy = waiter(limiter.key('a').acquire().weight(5));
    let mut light = waiter(limiter.key('b').acquire());
    of_b.pop();
    assert_waits(&mut light);
    drop(of_c);
    drop(served(&mut heavy));
    drop(served(&mut light));
}

#[test]
fn a_key_earns_at_most_a_permit_while_its_calls_wait_behind_one_that_runs() {
    let limiter = Limiter::new("weights-earned", 10).keyed().total(2);
    let long = at_once(limiter.key("small").acquire());
    let mut held = vec![at_once(limiter.key("large").key_weight(19).acquire())];
    let large = || waiter(limiter.key("large").key_weight(19).acquire());
    let mut waiting: Vec<_> = (0..3).map(|_| (1, large())).collect();
    waiting.extend((0..60).map(|_| (0, waiter(limiter.key("small").acquire()))));
    let mut go_on = |held: &mut Vec<Permit>| {
        held.clear();
        let served = ready(&mut waiting);
        let small = served.iter().filter(|(key, _)| *key == 0).count();
        for (key, permit) in served {
            held.push(permit);
            if key == 1 {
                waiting.push((1, large()));
            }
        }
        small
    };
    assert_eq!((0..300).map(|_| go_on(&mut held)).sum::<usize>(), 0, "a permit is its part");
    drop(long);
    let small: usize = (0..40).map(|_| go_on(&mut held)).sum();
    assert!((3..=7).contains(&small), "{small} of 80 permits, of which a twentieth is its part");
}

#[test]
fn a_key_that_wants_nothing_leaves_its_part_to_the_others() {
    let limiter = Limiter::new("weights-idle", 9).keyed().total(4);
    let large = at_once(limiter.key("large").key_weight(100).acquire());
    let small: Vec<_> = (0..3).map(|_| at_once(limiter.key("small").acquire())).collect();
    let mut waits = waiter(limiter.key("small").acquire());
    drop(large);
    let fourth = served(&mut waits);
    let mut large = waiter(limiter.key("large").key_weight(100).acquire());
    let mut next = waiter(limiter.key("small").acquire());
    drop(small);
    drop((served(&mut large), served(&mut next), fourth));
    assert_eq!(limiter.snapshot().total.keys, 0);
}

#[test]
fn with_the_newest_first_a_call_that_brings_a_weight_is_before_the_older_calls_of_its_key() {
    let limiter =
        Limiter::new("weights-newest", 9).order(Order::Lifo).max_waiting(9).keyed().total(4);
    let mut held: Vec<_> = (0..2).map(|_| at_once(limiter.key('a').acquire())).collect();
    let of_b = at_once(limiter.key('b').acquire());
    // One permit is free. Key b is next, and wants two.
    let mut next_of_b = waiter(limiter.key('b').acquire().weight(2));
    let mut older = waiter(limiter.key('a').acquire());
    // Now key a is next, and its newest call wants two.
    let mut newest = waiter(limiter.key('a').key_weight(4).acquire().weight(2));
    assert_waits(&mut older);
    assert_waits(&mut newest);
    held.pop();
    let newest = served(&mut newest);
    assert_waits(&mut older);
    drop((held, of_b, newest));
    drop((served(&mut next_of_b), served(&mut older)));
}

#[test]
fn the_weight_that_was_given_last_counts_also_for_calls_that_wait() {
    let limiter = Limiter::new("weights-last", 9).keyed().total(4);
    let mut held: Vec<_> =
        (0..2).map(|_| at_once(limiter.key('a').key_weight(4).acquire())).collect();
    let b: Vec<_> = (0..2).map(|_| at_once(limiter.key('b').key_weight(1).acquire())).collect();
    let mut of_a = waiter(limiter.key('a').acquire());
    let mut of_b = waiter(limiter.key('b').acquire().key_weight(1));
    // 2 in use of weight 4, and 2 of weight 1: a call that gives none leaves the 4. Now b has the 16.
    let refused = limiter.key('b').key_weight(16).try_acquire();
    assert!(refused.is_err());
    held.pop();
    let b_again = served(&mut of_b);
    assert_waits(&mut of_a);
    drop((b, b_again));
    drop(served(&mut of_a));
    // The weights are gone with the keys' calls.
    drop(held);
    assert_eq!(limiter.snapshot().total.keys, 0);
    let _held: Vec<_> = (0..4).map(|_| at_once(limiter.key('c').acquire())).collect();
}

#[test]
fn weights_of_one_are_turns() {
    let order = |weight: Option<u32>| {
        let limiter = Limiter::named("weights-one", 9).keyed().total(3);
        let mut held: Vec<_> = [0_u32, 0, 1].map(|key| at_once(limiter.key(key).acquire())).into();
        let call = |key: u32| {
            let of_key = limiter.key(key);
            let of_key = match weight {
                Some(weight) => of_key.key_weight(weight),
                None => of_key,
            };
            waiter(of_key.acquire())
        };
        // Key 0 has more in use, and its turn is first.
        let mut waiting: Vec<_> = [0_u32, 1, 0, 2, 1].map(|key| (key as usize, call(key))).into();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(held.remove(0));
            for (key, permit) in ready(&mut waiting) {
                order.push(key);
                held.push(permit);
            }
        }
        order
    };
    assert_eq!(order(None), [0, 1, 2, 0, 1]);
    assert_eq!(order(Some(1)), order(None));
    assert_eq!(order(Some(0)), order(None), "0 counts as 1");
    assert_ne!(order(Some(2)), order(None));
}

#[test]
fn a_heavy_call_of_the_key_that_is_next_waits_for_its_permits_and_others_wait_behind() {
    let limiter = Limiter::new("weights-heavy", 9).max_waiting(9).keyed().total(3);
    let mut held: Vec<_> = (0..3).map(|_| limiter.key("old").try_acquire().unwrap()).collect();
    let mut heavy = waiter(limiter.key("heavy").key_weight(9).acquire().weight(2));
    let mut light = waiter(limiter.key("light").acquire());
    held.pop();
    assert_waits(&mut heavy);
    assert_waits(&mut light);
    held.pop();
    let both = served(&mut heavy).unwrap();
    assert_waits(&mut light);
    drop(both);
    drop(served(&mut light).unwrap());
}

#[tokio::test(flavor = "current_thread")]
async fn the_attribute_gives_the_weight() {
    use std::sync::Mutex;
    static ORDER: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    #[concurrency_limit(9, key = tenant, total = 2, key_weight = weight, name = "weights-option")]
    async fn work(tenant: &'static str, weight: u32) {
        ORDER.lock().unwrap().push(tenant);
        tokio::task::yield_now().await;
    }
    static SHARED: KeyedLimiter = Limiter::new("weights-shared", 1).keyed().total(1);
    #[concurrency_limit(limiter = SHARED, key = tenant, key_weight = 3)]
    async fn shared(tenant: u8) -> u8 {
        tenant
    }
    let first = [tokio::spawn(work("old", 1)), tokio::spawn(work("old", 1))];
    let calls: Vec<_> = ["a", "b", "a", "b", "a", "b"]
        .map(|tenant| tokio::spawn(work(tenant, if tenant == "b" { 5 } else { 1 })))
        .into_iter()
        .chain(first)
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    let order = ORDER.lock().unwrap().clone();
    assert_eq!(order.len(), 8);
    assert_eq!(shared(1).await, 1);
}
