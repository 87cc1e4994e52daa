//! A limiter looked up by its name among many.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, RwLock};

use limit_runtime::Limiter;
use tokio::sync::Semaphore;

use super::{Kind, Row, Selection, against_peer};
use crate::subjects::PEER;
use limit_benches::measure::{Contestant, time};

pub(crate) const ROWS: [Kind; 1] = [Kind::own_process("find", find)];

const LIMITERS: usize = 10_000;

fn find(selection: &Selection, name: &str) -> Row {
    let names: Vec<String> = (0..LIMITERS).map(|number| format!("find-{number}")).collect();
    let limiters: Vec<_> = names.iter().map(|name| Limiter::named(name.clone(), 8)).collect();
    // A limiter is known by its name from its first use on.
    for limiter in &limiters {
        drop(limiter.try_acquire());
    }
    let by_hand: HashMap<String, Arc<Semaphore>> =
        names.iter().map(|name| (name.clone(), Arc::new(Semaphore::new(8)))).collect();
    let by_hand = RwLock::new(by_hand);
    // A step that has no factor in common with the number of names, so that all of them come up.
    let asked =
        |count: u32| (0..count as usize).map(|call| names[call * 7_919 % LIMITERS].as_str());
    let contestants = vec![
        Contestant::new("acquire", true, |count| {
            time(|| {
                for name in asked(count) {
                    assert!(black_box(limit_runtime::find(name)).is_some());
                }
            })
        }),
        Contestant::new(PEER, true, |count| {
            time(|| {
                for name in asked(count) {
                    let known = by_hand.read().expect("nobody panics");
                    assert!(black_box(known.get(name).cloned()).is_some());
                }
            })
        }),
    ];
    let what =
        "find() among 10,000 limiters; by hand: a map from names to semaphores behind a lock";
    against_peer(selection, name, what, contestants)
}
