//! The memory of limiters, runtimes and keys.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use limit_runtime::{KeyedLimiter, Limiter};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::this_thread;

/// The name by which they are selected.
pub(crate) const NAME: &str = "bytes";

const MANY: usize = 1_000;

/// The bytes that one thing keeps while it exists.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Bytes {
    pub(crate) what: String,
    pub(crate) ours: f64,
    /// The same by hand, where one would write something by hand.
    pub(crate) by_hand: Option<f64>,
}

/// Returns the bytes that are allocated in `make` and still exist when what it returns does.
///
/// Only this thread's are counted, so everything runs in `block_on` of a runtime without workers.
#[expect(clippy::cast_precision_loss, reason = "far fewer bytes than 2^52")]
fn kept<T>(make: impl FnOnce() -> T) -> f64 {
    let mut thing = None;
    let counted = allocation_counter::measure(|| thing = Some(make()));
    drop(black_box(thing));
    counted.bytes_current as f64
}

/// Runtimes that live at once, so that none takes over what another has left.
struct Runtimes(Vec<Runtime>);

impl Runtimes {
    fn new() -> Self {
        Self((0..10).map(|_| this_thread()).collect())
    }

    /// Uses the limiters in each runtime, and returns the bytes that one runtime keeps for them.
    fn kept(&self, limiters: &[Limiter]) -> f64 {
        let all = kept(|| self.0.iter().for_each(|runtime| runtime.block_on(use_each(limiters))));
        all / 10.0
    }
}

async fn use_each(limiters: &[Limiter]) {
    for limiter in limiters {
        drop(limiter.acquire().await);
    }
}

fn limiters(name: &str) -> Vec<Limiter> {
    (0..MANY).map(|number| Limiter::named(format!("{name}-{number}"), 8)).collect()
}

/// Returns the table of bytes. It wants a process of its own, because runtimes of other rows leave registries for later
/// ones.
pub(crate) fn all() -> Vec<Bytes> {
    eprintln!("bytes: limiters, runtimes and keys");
    let line = |what: &str, ours, by_hand| Bytes { what: what.to_owned(), ours, by_hand };
    let runtime = &this_thread();

    let one = Limiter::new("bytes-one", 8);
    let small = Runtimes::new();
    let with_one = small.kept(std::slice::from_ref(&one));
    let used = kept(|| {
        let limiters = limiters("bytes-first");
        runtime.block_on(use_each(&limiters));
        limiters
    });
    let semaphores = kept(|| (0..MANY).map(|_| Arc::new(Semaphore::new(8))).collect::<Vec<_>>());
    let many = limiters("bytes-again");
    runtime.block_on(use_each(&many));
    let large = Runtimes::new();
    let with_many = large.kept(&many);

    let keyed: KeyedLimiter = Limiter::new("bytes-keyed", 2).keyed();
    let keys = kept(|| {
        runtime.block_on(async {
            let mut permits = Vec::with_capacity(MANY);
            for key in 0..MANY {
                permits.push(keyed.key(key).acquire().await);
            }
            permits
        })
    });
    let keys_by_hand = kept(|| {
        runtime.block_on(async {
            let mut known = HashMap::new();
            let mut permits = Vec::with_capacity(MANY);
            for key in 0..MANY {
                let semaphore = known.entry(key).or_insert_with(|| Arc::new(Semaphore::new(2)));
                let permit = Arc::clone(semaphore).acquire_owned().await;
                permits.push(permit.expect("it is open"));
            }
            (known, permits)
        })
    });
    vec![
        line(
            "a limiter that one runtime uses; by hand: a semaphore in an Arc",
            used / 1e3,
            Some(semaphores / 1e3),
        ),
        line("a limiter in one more runtime", (with_many - with_one) / 999.0, None),
        line("a runtime with 1 limiter, beyond tokio's own", with_one, None),
        line("a runtime with 1,000 limiters, beyond tokio's own", with_many, None),
        line(
            "a key in use and its permit; by hand: an entry in a map of semaphores",
            keys / 1e3,
            Some(keys_by_hand / 1e3),
        ),
    ]
}
