//! A runtime that ends while very many tasks wait for a permit.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use limit_runtime::{Limiter, concurrency_limit};
use tokio::sync::Semaphore;

use super::{Kind, Row, Selection, row_against_peer, two_workers};
use crate::subjects::PEER;
use limit_benches::measure::{Contestant, compare_calls, time};

pub(crate) const ROWS: [Kind; 1] = [Kind::many_tasks("shutdown", shutdown)];

#[concurrency_limit(1)]
async fn attribute() {
    pending::<()>().await;
}

async fn acquire() {
    static LIMITER: Limiter = Limiter::new("shutdown", 1);
    let _permit = LIMITER.acquire().await;
    pending::<()>().await;
}

async fn by_hand() {
    static SEMAPHORE: Semaphore = Semaphore::const_new(1);
    let _permit = SEMAPHORE.acquire().await.unwrap();
    pending::<()>().await;
}

/// Makes a runtime on which one task holds the permit and the others wait. Returns how long it takes to drop it.
fn dropped<F: Future<Output = ()> + Send + 'static>(waiters: u32, call: fn() -> F) -> Duration {
    let runtime = two_workers();
    let polled = Arc::new(AtomicU32::new(0));
    for _ in 0..=waiters {
        let polled = Arc::clone(&polled);
        runtime.spawn(async move {
            let mut call = pin!(call());
            poll_fn(|context| {
                let poll = call.as_mut().poll(context);
                polled.fetch_add(1, Ordering::Relaxed);
                poll
            })
            .await;
        });
    }
    while polled.load(Ordering::Relaxed) <= waiters {
        thread::yield_now();
    }
    time(|| drop(runtime))
}

fn shutdown(selection: &Selection, name: &str) -> Row {
    let waiters = u32::try_from(selection.waiters / 10).expect("a number of tasks");
    let what =
        format!("a runtime with {waiters} tasks that wait is dropped: time for each (2 workers)");
    eprintln!("{name}: {what}");
    let mut contestants = vec![
        Contestant::new("attribute", true, |waiters| dropped(waiters, attribute)),
        Contestant::new("acquire", true, |waiters| dropped(waiters, acquire)),
        Contestant::new(PEER, true, |waiters| dropped(waiters, by_hand)),
    ];
    contestants.retain(|one| one.name == PEER || selection.subject(one.name));
    let series = compare_calls(selection.plan.rounds, waiters, &mut contestants);
    row_against_peer(name, &what, &series)
}
