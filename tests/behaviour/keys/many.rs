//! Many keys that come and go: the limiter keeps a key while it is in use, and no longer.

use limit_runtime::{KeyedLimiter, Limiter, Permit};
use limit_tests::figures::{assert_figures, total};
use limit_tests::polling::{at_once, served, waiter};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// A key that shares its hash with three others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Colliding(u32);

impl Hash for Colliding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0 / 4).hash(state);
    }
}

/// Takes a permit of a key that is a number, a text, or shares its hash with others.
fn try_take(limiter: &KeyedLimiter, key: u32) -> Option<Permit> {
    let permit = match key % 3 {
        0 => limiter.key(key).try_acquire(),
        1 => limiter.key(format!("key {key}")).try_acquire(),
        _ => limiter.key(Colliding(key)).try_acquire(),
    };
    permit.ok()
}

/// Returns a number below `end`, in an order that is always the same.
fn random(state: &mut u32, end: u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) % end
}

#[test]
fn each_of_many_keys_is_known_while_it_is_in_use_and_not_after() {
    const KEYS: u32 = 20_000;
    let limiter = Limiter::new("many-known", 1).keyed();
    let mut held = HashMap::new();
    let mut state = 7;
    // The number of keys grows and shrinks, twice.
    for (calls, taken_of_100) in [(40_000, 70), (60_000, 20), (40_000, 70), (90_000, 10)] {
        for _ in 0..calls {
            let key = random(&mut state, KEYS);
            if random(&mut state, 100) < taken_of_100 {
                let taken = try_take(&limiter, key);
                assert_eq!(taken.is_none(), held.contains_key(&key), "key {key}");
                held.extend(taken.map(|permit| (key, permit)));
            } else {
                held.remove(&key);
            }
        }
        assert_eq!(total(&limiter).keys, held.len());
    }
    for key in 0..KEYS {
        assert_eq!(try_take(&limiter, key).is_none(), held.contains_key(&key), "key {key}");
    }
    drop(held);
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}

#[test]
fn a_key_with_waiters_outlasts_many_that_come_and_go_around_it() {
    let limiter = Limiter::named("many-outlast", 1).keyed();
    let mut kept = Vec::new();
    let mut others = Vec::new();
    for key in 0..20_000_u32 {
        let permit = at_once(limiter.key(key).acquire());
        if key % 2_500 == 1_234 {
            let waiting = [0; 3].map(|_| waiter(limiter.key(key).acquire()));
            kept.push((permit, waiting));
        } else {
            others.push(permit);
        }
    }
    drop(others);
    assert_eq!(total(&limiter).keys, kept.len());
    for (held, mut waiting) in kept {
        drop(held);
        for call in &mut waiting {
            drop(served(call));
        }
    }
    assert_eq!(total(&limiter).keys, 0);
    assert_figures(&limiter, 0, 0);
}
