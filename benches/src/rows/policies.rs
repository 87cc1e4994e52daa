//! Calls that want more than one permit, or have a key, a deadline or a priority. Beside each
//! stands the form that one would write by hand with tokio's semaphore, or without it for orders
//! that it does not have.

mod handmade;

use std::time::Duration;

use limit_runtime::{Limiter, Order, Rejected};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::tasks::{at_once, in_a_row};
use super::{Kind, Row, Selection, against_peer};
use crate::subjects::{BARE, LIMIT, PEER, bare, body, yielding_body};
use handmade::{ByPriority, NewestFirst};

const OURS: &str = "acquire";
/// A time longer than any call waits.
const LONG: Duration = Duration::from_secs(60);

pub(crate) const ROWS: [Kind; 6] = [
    Kind::one_task("weighted", weighted),
    Kind::many_tasks("weighted-queued", weighted_queued),
    Kind::one_task("deadline", deadline),
    Kind::many_tasks("deadline-queued", deadline_queued),
    Kind::many_tasks("lifo-queued", lifo_queued),
    Kind::many_tasks("priority-queued", priority_queued),
];

/// Makes a runtime with two workers and a clock for deadlines.
fn timed_workers() -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build();
    runtime.expect("a runtime with two workers")
}

fn weighted(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter = Limiter::new("weighted", LIMIT);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    static MEA: mea::semaphore::Semaphore = mea::semaphore::Semaphore::new(LIMIT);
    let runtime = &timed_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().weight(3).await.expect("3 are not too many");
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = SEMAPHORE.acquire_many(3).await.expect("it is open");
            body(value)
        }),
        in_a_row(runtime, "mea", |value| async move {
            let _permit = MEA.acquire(3).await;
            body(value)
        }),
    ];
    against_peer(selection, name, "three permits free, in a task", contestants)
}

fn weighted_queued(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter = Limiter::new("weighted-queued", LIMIT);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    static MEA: mea::semaphore::Semaphore = mea::semaphore::Semaphore::new(LIMIT);
    let runtime = &timed_workers();
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().weight(3).await.expect("3 are not too many");
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = SEMAPHORE.acquire_many(3).await.expect("it is open");
            yielding_body(value).await
        }),
        at_once(runtime, "mea", |value| async move {
            let _permit = MEA.acquire(3).await;
            yielding_body(value).await
        }),
        at_once(runtime, BARE, |value| async move {
            let _permit = bare::acquire(|limits| &limits.fifo, 3, 0).await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, three of 8 permits each, body yields once";
    against_peer(selection, name, what, contestants)
}

fn deadline(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter<Rejected> = Limiter::new("deadline", LIMIT).max_wait(LONG);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    let runtime = &timed_workers();
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
    against_peer(selection, name, what, contestants)
}

fn deadline_queued(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter<Rejected> = Limiter::new("deadline-queued", LIMIT).max_wait(LONG);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    let runtime = &timed_workers();
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
        at_once(runtime, BARE, |value| async move {
            let permit = timeout(LONG, bare::acquire(|limits| &limits.fifo, 1, 0)).await;
            let _permit = permit.expect("nobody waits for so long");
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, every call with a deadline";
    against_peer(selection, name, what, contestants)
}

fn lifo_queued(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter = Limiter::new("lifo-queued", LIMIT).order(Order::Lifo);
    static BY_HAND: NewestFirst = NewestFirst::new(LIMIT);
    let runtime = &timed_workers();
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = BY_HAND.acquire(0).await;
            yielding_body(value).await
        }),
        at_once(runtime, BARE, |value| async move {
            let _permit = bare::acquire(|limits| &limits.lifo, 1, 0).await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, newest first; by hand: a stack of oneshots";
    against_peer(selection, name, what, contestants)
}

fn priority_queued(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter = Limiter::new("priority-queued", LIMIT).priority(0);
    static BY_HAND: ByPriority = ByPriority::new(LIMIT);
    let runtime = &timed_workers();
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().priority(value.to_le_bytes()[0] % 8).await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = BY_HAND.acquire(value.to_le_bytes()[0] % 8).await;
            yielding_body(value).await
        }),
        at_once(runtime, BARE, |value| async move {
            let level = value.to_le_bytes()[0] % 8;
            let _permit = bare::acquire(|limits| &limits.levels, 1, level).await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, eight priorities; by hand: a heap of \
                oneshots, in which nobody ages";
    against_peer(selection, name, what, contestants)
}
