//! Calls that want more than one permit, or have a key, a deadline or a priority. Beside each
//! stands the form that one would write by hand with tokio's semaphore, or without it for orders
//! that it does not have.

mod handmade;

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use limit_runtime::{KeyedLimiter, Limiter, Order, Rejected};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Row, Selection, against_peer};
use crate::subjects::{LIMIT, PEER, body, yielding_body};
use handmade::{ByPriority, NewestFirst};
use limit_benches::measure::{Contestant, time};

const OURS: &str = "acquire";
const TASKS: u32 = 64;
/// A time longer than any call waits.
const LONG: Duration = Duration::from_secs(60);

pub(crate) fn rows(selection: &Selection) -> Vec<Row> {
    type Measure = fn(&Selection, &Runtime) -> Row;
    let all: [(&str, Measure); 10] = [
        ("keyed-1", |selection, runtime| keyed(selection, runtime, "keyed-1", 1)),
        ("keyed-1000", |selection, runtime| keyed(selection, runtime, "keyed-1000", 1000)),
        ("keyed-million", |selection, runtime| {
            keyed(selection, runtime, "keyed-million", selection.waiters)
        }),
        ("weighted", weighted),
        ("weighted-queued", weighted_queued),
        ("deadline", deadline),
        ("deadline-queued", deadline_queued),
        ("refused", refused),
        ("lifo-queued", lifo_queued),
        ("priority-queued", priority_queued),
    ];
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime with two workers");
    let asked = all.into_iter().filter(|(name, _)| selection.row(name));
    asked.map(|(_, measure)| measure(selection, &runtime)).collect()
}

/// Measures calls that one task makes, one after another.
fn in_a_row<'a, F: Future<Output = u32> + Send + 'a>(
    runtime: &'a Runtime,
    name: &'static str,
    call: impl Fn(u32) -> F + Copy + Send + 'static,
) -> Contestant<'a> {
    Contestant::new(name, true, move |count| {
        time(|| {
            let calls = runtime.spawn(async move {
                for value in 0..count {
                    black_box(call(value).await);
                }
            });
            runtime.block_on(calls).expect("the task ends");
        })
    })
}

/// Measures calls that 64 tasks make.
fn at_once<'a, F: Future<Output = u32> + Send + 'a>(
    runtime: &'a Runtime,
    name: &'static str,
    call: impl Fn(u32) -> F + Copy + Send + 'static,
) -> Contestant<'a> {
    Contestant::new(name, true, move |count| {
        time(|| {
            runtime.block_on(async {
                let each = count.div_ceil(TASKS);
                let task = |_| {
                    tokio::spawn(async move {
                        for value in 0..each {
                            black_box(call(value).await);
                        }
                    })
                };
                for task in (0..TASKS).map(task).collect::<Vec<_>>() {
                    task.await.expect("the task ends");
                }
            });
        })
    })
}

/// Returns the number of a call's key. The calls go through all keys, in an order that a processor
/// cannot predict.
fn key_of(value: u32, keys: u64) -> u64 {
    u64::from(value).wrapping_mul(0x9E37_79B9_7F4A_7C15) % keys
}

/// Measures calls whose keys all have a holder already, so that no key comes or goes.
fn keyed(selection: &Selection, runtime: &Runtime, name: &'static str, keys: usize) -> Row {
    static LIMITER: KeyedLimiter = Limiter::new("keyed", 2).keyed();
    static BY_HAND: Mutex<Option<HashMap<u64, Arc<Semaphore>>>> = Mutex::new(None);

    fn semaphore(key: u64) -> Arc<Semaphore> {
        let mut known = BY_HAND.lock().expect("nobody panics");
        let known = known.get_or_insert_with(HashMap::new);
        Arc::clone(known.entry(key).or_insert_with(|| Arc::new(Semaphore::new(2))))
    }

    let keys = keys as u64;
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    runtime.block_on(async {
        for key in 0..keys {
            ours.push(LIMITER.key(key).acquire().await);
            theirs.push(semaphore(key).acquire_owned().await.expect("it is open"));
        }
    });
    let contestants = vec![
        in_a_row(runtime, OURS, move |value| async move {
            let _permit = LIMITER.key(key_of(value, keys)).acquire().await;
            body(value)
        }),
        in_a_row(runtime, PEER, move |value| async move {
            let semaphore = semaphore(key_of(value, keys));
            let _permit = semaphore.acquire().await.expect("it is open");
            body(value)
        }),
    ];
    let what = "permit free for one of so many keys in use; by hand: a map of semaphores in a \
                mutex, from which no key is ever taken";
    let row = against_peer(selection, name, what, None, contestants);
    *BY_HAND.lock().expect("nobody panics") = None;
    row
}

fn weighted(selection: &Selection, runtime: &Runtime) -> Row {
    static LIMITER: Limiter = Limiter::new("weighted", LIMIT);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().weight(3).await.expect("3 are not too many");
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = SEMAPHORE.acquire_many(3).await.expect("it is open");
            body(value)
        }),
    ];
    against_peer(selection, "weighted", "three permits free, in a task", None, contestants)
}

fn weighted_queued(selection: &Selection, runtime: &Runtime) -> Row {
    static LIMITER: Limiter = Limiter::new("weighted-queued", LIMIT);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().weight(3).await.expect("3 are not too many");
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = SEMAPHORE.acquire_many(3).await.expect("it is open");
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, three of 8 permits each, body yields once";
    against_peer(selection, "weighted-queued", what, None, contestants)
}

fn deadline(selection: &Selection, runtime: &Runtime) -> Row {
    static LIMITER: Limiter<Rejected> = Limiter::new("deadline", LIMIT).max_wait(LONG);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().await.expect("one is free");
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let permit = timeout(LONG, SEMAPHORE.acquire()).await;
            let _permit = permit.expect("one is free").expect("it is open");
            body(value)
        }),
    ];
    let what = "permit free, and a deadline; by hand: tokio's timeout";
    against_peer(selection, "deadline", what, None, contestants)
}

fn deadline_queued(selection: &Selection, runtime: &Runtime) -> Row {
    static LIMITER: Limiter<Rejected> = Limiter::new("deadline-queued", LIMIT).max_wait(LONG);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().await.expect("nobody waits for so long");
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let permit = timeout(LONG, SEMAPHORE.acquire()).await;
            let _permit = permit.expect("nobody waits for so long").expect("it is open");
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, every call with a deadline";
    against_peer(selection, "deadline-queued", what, None, contestants)
}

/// Measures refusals: all permits are held, and nobody may wait.
fn refused(selection: &Selection, runtime: &Runtime) -> Row {
    static LIMITER: Limiter<Rejected> = Limiter::new("refused", 1).max_waiting(0);
    static SEMAPHORE: Semaphore = Semaphore::const_new(1);
    let _ours = runtime.block_on(async { LIMITER.acquire().await.expect("it is free") });
    let _theirs = SEMAPHORE.try_acquire().expect("it is free");
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            u32::from(LIMITER.acquire().await.is_err()) + body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            u32::from(SEMAPHORE.try_acquire().is_err()) + body(value)
        }),
    ];
    let what =
        "no permit free and nobody may wait; by hand: try_acquire, whose error has no figures";
    against_peer(selection, "refused", what, None, contestants)
}

fn lifo_queued(selection: &Selection, runtime: &Runtime) -> Row {
    static LIMITER: Limiter = Limiter::new("lifo-queued", LIMIT).order(Order::Lifo);
    static BY_HAND: NewestFirst = NewestFirst::new(LIMIT);
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = BY_HAND.acquire(0).await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, newest first; by hand: a stack of oneshots";
    against_peer(selection, "lifo-queued", what, None, contestants)
}

fn priority_queued(selection: &Selection, runtime: &Runtime) -> Row {
    static LIMITER: Limiter = Limiter::new("priority-queued", LIMIT).priority(0);
    static BY_HAND: ByPriority = ByPriority::new(LIMIT);
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().priority(value.to_le_bytes()[0] % 8).await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = BY_HAND.acquire(value.to_le_bytes()[0] % 8).await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, eight priorities; by hand: a heap of \
                oneshots, in which nobody ages";
    against_peer(selection, "priority-queued", what, None, contestants)
}
