//! Calls that want more than one permit, or have a key, a deadline or a priority. Beside each
//! stands the form that one would write by hand with tokio's semaphore, or without it for orders
//! that it does not have.

mod handmade;

use std::time::Duration;

use limit_runtime::{Limiter, Order, Rejected, Share, acquire_all};
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

pub(crate) const ROWS: [Kind; 16] = [
    Kind::one_task("weighted", weighted),
    Kind::one_task("resize", resize),
    Kind::many_tasks("weighted-queued", weighted_queued),
    Kind::one_task("deadline", deadline),
    Kind::many_tasks("deadline-queued", deadline_queued),
    Kind::many_tasks("lifo-queued", lifo_queued),
    Kind::many_tasks("priority-queued", priority_queued),
    Kind::many_tasks("by-deadline-queued", by_deadline_queued),
    Kind::many_tasks("early-queued", early_queued),
    Kind::one_task("adaptive", adaptive),
    Kind::many_tasks("adaptive-queued", adaptive_queued),
    Kind::one_task("ramp", ramp),
    Kind::one_task("shares", shares),
    Kind::many_tasks("shares-queued", shares_queued),
    Kind::one_task("both", both),
    Kind::many_tasks("both-queued", both_queued),
];

/// Makes a runtime with two workers and a clock for deadlines.
fn timed_workers() -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build();
    runtime.expect("a runtime with two workers")
}

fn both(selection: &Selection, name: &str) -> Row {
    static LIMITERS: [Limiter; 2] = [Limiter::new("both-a", LIMIT), Limiter::new("both-b", LIMIT)];
    static SEMAPHORES: [Semaphore; 2] = [const { Semaphore::const_new(LIMIT) }; 2];
    let runtime = &timed_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permits = acquire_all((&LIMITERS[0], &LIMITERS[1])).await;
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _first = SEMAPHORES[0].acquire().await.expect("it is open");
            let _second = SEMAPHORES[1].acquire().await.expect("it is open");
            body(value)
        }),
    ];
    against_peer(selection, name, "permits of two limits free, in a task", contestants)
}

/// By hand the second permit is waited for while the first is held, always in the same order.
fn both_queued(selection: &Selection, name: &str) -> Row {
    static LIMITERS: [Limiter; 2] =
        [Limiter::new("both-queued-a", LIMIT), Limiter::new("both-queued-b", LIMIT)];
    static SEMAPHORES: [Semaphore; 2] = [const { Semaphore::const_new(LIMIT) }; 2];
    let runtime = &timed_workers();
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permits = acquire_all((&LIMITERS[0], &LIMITERS[1])).await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _first = SEMAPHORES[0].acquire().await.expect("it is open");
            let _second = SEMAPHORES[1].acquire().await.expect("it is open");
            yielding_body(value).await
        }),
    ];
    against_peer(selection, name, "64 tasks, permits of two limits, body yields", contestants)
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

/// By hand the call takes two more permits, and gives them back.
fn resize(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter = Limiter::new("resize", LIMIT);
    static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
    let runtime = &timed_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let mut permit = LIMITER.acquire().await;
            permit.resize(3).await.expect("3 are not too many");
            permit.resize(1).await.expect("it never fails");
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let mut permit = SEMAPHORE.acquire().await.expect("it is open");
            permit.merge(SEMAPHORE.acquire_many(2).await.expect("it is open"));
            drop(permit.split(2));
            body(value)
        }),
    ];
    against_peer(
        selection,
        name,
        "one permit, three and one again, all free, in a task",
        contestants,
    )
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

fn by_deadline_queued(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter<Rejected> =
        Limiter::new("by-deadline-queued", LIMIT).max_wait(LONG).order(Order::Deadline);
    let what = "64 tasks, 8 permits, body yields once, the earliest deadline first; beside it: order of arrival";
    beside_order_of_arrival(&LIMITER, what, selection, name)
}

fn early_queued(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter<Rejected> = Limiter::new("early-queued", LIMIT).max_wait(LONG).early();
    let what = "64 tasks, 8 permits, body yields once, each call judged early; beside it: none";
    beside_order_of_arrival(&LIMITER, what, selection, name)
}

/// Compares a limiter whose calls have deadlines with one that serves them in order of arrival.
fn beside_order_of_arrival(
    limiter: &'static Limiter<Rejected>,
    what: &str,
    selection: &Selection,
    name: &str,
) -> Row {
    static PLAIN: Limiter<Rejected> = Limiter::new("with-deadlines", LIMIT).max_wait(LONG);
    let runtime = &timed_workers();
    let contestants = vec![
        at_once(runtime, OURS, move |value| async move {
            let _permit = limiter.acquire().await.expect("nobody waits for so long");
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = PLAIN.acquire().await.expect("nobody waits for so long");
            yielding_body(value).await
        }),
    ];
    against_peer(selection, name, what, contestants)
}

/// A limit that adapts within a range of one number: the cost of adapting alone, at the limit of the others.
static ADAPTIVE: Limiter = Limiter::adaptive("adaptive", LIMIT..=LIMIT);
static FIXED: Limiter = Limiter::new("fixed", LIMIT);

fn adaptive(selection: &Selection, name: &str) -> Row {
    let runtime = &timed_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = ADAPTIVE.acquire().await;
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = FIXED.acquire().await;
            body(value)
        }),
    ];
    against_peer(
        selection,
        name,
        "permit free; beside it: the same limit, which stays",
        contestants,
    )
}

fn adaptive_queued(selection: &Selection, name: &str) -> Row {
    let runtime = &timed_workers();
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = ADAPTIVE.acquire().await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = FIXED.acquire().await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once; beside it: the same limit, which stays";
    against_peer(selection, name, what, contestants)
}

static SHARED: Limiter = Limiter::new("shared", LIMIT).shares(&[
    Share::new("live", 60),
    Share::new("batch", 20),
    Share::new("probe", 10).reserved(),
]);

/// Returns the share of a call.
fn share(value: u32) -> &'static str {
    if value % 2 == 0 { "live" } else { "batch" }
}

fn shares(selection: &Selection, name: &str) -> Row {
    let runtime = &timed_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = SHARED.share(share(value)).acquire().await;
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = FIXED.acquire().await;
            body(value)
        }),
    ];
    let what = "permit free, three shares; beside it: the same limit without shares";
    against_peer(selection, name, what, contestants)
}

/// Each call takes the lock and looks at the clock, also now that the ramp is over.
fn ramp(selection: &Selection, name: &str) -> Row {
    static LIMITER: Limiter = Limiter::new("ramp", LIMIT).ramp(Duration::from_millis(1));
    let runtime = &timed_workers();
    let contestants = vec![
        in_a_row(runtime, OURS, |value| async move {
            let _permit = LIMITER.acquire().await;
            body(value)
        }),
        in_a_row(runtime, PEER, |value| async move {
            let _permit = FIXED.acquire().await;
            body(value)
        }),
    ];
    let what = "permit free, a ramp that is over; beside it: the same limit without a ramp";
    against_peer(selection, name, what, contestants)
}

fn shares_queued(selection: &Selection, name: &str) -> Row {
    let runtime = &timed_workers();
    let contestants = vec![
        at_once(runtime, OURS, |value| async move {
            let _permit = SHARED.share(share(value)).acquire().await;
            yielding_body(value).await
        }),
        at_once(runtime, PEER, |value| async move {
            let _permit = FIXED.acquire().await;
            yielding_body(value).await
        }),
    ];
    let what = "64 tasks, 8 permits, body yields once, three shares; beside it: the same limit without shares";
    against_peer(selection, name, what, contestants)
}
