//! Calls that find a permit of their key free, against a map of semaphores in a mutex.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex};

use limit_runtime::{KeyedLimiter, Limiter, Permit};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::tasks::{TASKS, all, at_once, in_a_row};
use super::{Kind, Row, Selection, against_peer, two_workers};
use crate::subjects::{BARE, LIMIT, PEER, bare, body, yielding_body};
use limit_benches::measure::Contestant;

const OURS: &str = "acquire";

pub(crate) const ROWS: [Kind; 7] = [
    Kind::one_task("keyed-1", |selection, name| keyed(selection, name, 1)),
    Kind::one_task("keyed-1000", |selection, name| keyed(selection, name, 1000)),
    Kind::one_task("keyed-million", |selection, name| keyed(selection, name, selection.waiters)),
    Kind::many_tasks("keyed-contended", contended),
    Kind::one_task("key-weights", weights),
    Kind::many_tasks("key-weights-queued", weights_queued),
    Kind::one_task("key-limits", own_limits),
];

static LIMITER: KeyedLimiter = Limiter::new("keyed", 2).keyed();
static BY_HAND: Mutex<Option<HashMap<u64, Arc<Semaphore>>>> = Mutex::new(None);

fn semaphore(key: u64) -> Arc<Semaphore> {
    let mut known = BY_HAND.lock().expect("nobody panics");
    let known = known.get_or_insert_with(HashMap::new);
    Arc::clone(known.entry(key).or_insert_with(|| Arc::new(Semaphore::new(2))))
}

/// Returns the number of a call's key. The calls go through all keys, in an order that a processor
/// cannot predict.
fn key_of(value: u32, keys: u64) -> u64 {
    u64::from(value).wrapping_mul(0x9E37_79B9_7F4A_7C15) % keys
}

async fn ours(value: u32, keys: u64) -> u32 {
    let _permit = LIMITER.key(key_of(value, keys)).acquire().await;
    body(value)
}

async fn by_hand(value: u32, keys: u64) -> u32 {
    let semaphore = semaphore(key_of(value, keys));
    let _permit = semaphore.acquire().await.expect("it is open");
    body(value)
}

async fn bare(value: u32, keys: u64) -> u32 {
    let _permit = bare::take_of_key(key_of(value, keys)).await;
    body(value)
}

/// A holder of each key, so that no key comes or goes while calls are measured.
struct Holders {
    _ours: Vec<Permit>,
    _theirs: Vec<OwnedSemaphorePermit>,
    _bare: Vec<bare::OfKey>,
}

impl Holders {
    fn new(runtime: &Runtime, keys: u64) -> Self {
        runtime.block_on(async {
            let (mut ours, mut theirs, mut bare) = (Vec::new(), Vec::new(), Vec::new());
            for key in 0..keys {
                ours.push(LIMITER.key(key).acquire().await);
                theirs.push(semaphore(key).acquire_owned().await.expect("it is open"));
                bare.push(bare::take_of_key(key).await);
            }
            Self { _ours: ours, _theirs: theirs, _bare: bare }
        })
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        *BY_HAND.lock().expect("nobody panics") = None;
    }
}

fn keyed(selection: &Selection, name: &str, keys: usize) -> Row {
    let keys = keys as u64;
    let runtime = &two_workers();
    let _holders = Holders::new(runtime, keys);
    let contestants = vec![
        in_a_row(runtime, OURS, move |value| ours(value, keys)),
        in_a_row(runtime, PEER, move |value| by_hand(value, keys)),
        in_a_row(runtime, BARE, move |value| bare(value, keys)),
    ];
    let what = "permit free for one of so many keys in use; by hand: a map of semaphores in a \
                mutex, from which no key is ever taken";
    against_peer(selection, name, what, contestants)
}

/// Measures calls of many tasks, each of which goes through the keys in an order of its own.
fn contended(selection: &Selection, name: &str) -> Row {
    fn each_through_all<'a, F: Future<Output = u32> + Send + 'static>(
        runtime: &'a Runtime,
        name: &'static str,
        call: impl Fn(u32) -> F + Copy + Send + 'static,
    ) -> Contestant<'a> {
        Contestant::new(name, true, move |count| {
            let each = count.div_ceil(TASKS);
            all(runtime, |number| async move {
                for value in number * each..(number + 1) * each {
                    black_box(call(value).await);
                }
            })
        })
    }

    const KEYS: u64 = 1_000;
    let runtime = &two_workers();
    let _holders = Holders::new(runtime, KEYS);
    let contestants = vec![
        each_through_all(runtime, OURS, |value| ours(value, KEYS)),
        each_through_all(runtime, PEER, |value| by_hand(value, KEYS)),
        each_through_all(runtime, BARE, |value| bare(value, KEYS)),
    ];
    let what = "64 tasks, each call for one of 1,000 keys in use (2 workers)";
    against_peer(selection, name, what, contestants)
}

/// The same limiter twice: calls of one give their keys weights.
static WEIGHED: KeyedLimiter = Limiter::new("key-weights", LIMIT).keyed().total(LIMIT);
static UNWEIGHED: KeyedLimiter = Limiter::new("key-weights-none", LIMIT).keyed().total(LIMIT);

fn weights(selection: &Selection, name: &str) -> Row {
    let runtime = &two_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = WEIGHED.key(value % 8).key_weight(1 + value % 8).acquire().await;
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = UNWEIGHED.key(value % 8).acquire().await;
            body(value)
        }),
    ];
    let what = "permit free, eight keys with weights; beside it: the same without weights";
    against_peer(selection, name, what, contestants)
}

fn weights_queued(selection: &Selection, name: &str) -> Row {
    let runtime = &two_workers();
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = WEIGHED.key(value % 8).key_weight(1 + value % 8).acquire().await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = UNWEIGHED.key(value % 8).acquire().await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, eight keys with weights; beside it: the same without weights";
    against_peer(selection, name, what, contestants)
}

fn own_limits(selection: &Selection, name: &str) -> Row {
    static OWN: KeyedLimiter = Limiter::new("key-limits", 1).keyed();
    static COMMON: KeyedLimiter = Limiter::new("key-limits-none", 1).keyed();
    let runtime = &two_workers();
    for key in 0..100_u32 {
        OWN.set_key_limit(key, Some(2)).expect("it has keys");
    }
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = OWN.key(value % 8).acquire().await;
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = COMMON.key(value % 8).acquire().await;
            body(value)
        }),
    ];
    let what = "permit free, keys that come and go have own limits; beside it: the same without";
    against_peer(selection, name, what, contestants)
}
