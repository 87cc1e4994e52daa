//! Runs tasks on runtimes that come and go. Their calls are cancelled at any moment. Their bodies
//! panic, or give their permits to others.

use crate::call::{Call, Held, Outcome};
use crate::provoked;
use crate::random::Random;
use crate::request::Scope;
use crate::stage::{Numbered, Stage, wait_for_all};
use crate::subject::Subject;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking, yield_now};
use tokio::time::{sleep, timeout};

/// A time longer than the life of any runtime.
const LONG: Duration = Duration::from_secs(1);

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    let mut left = Vec::new();
    while stage.may_call() {
        let numbered = Numbered::any(&mut random);
        let until = Instant::now() + random.micros(1_000, 80_000);
        let cut_short = random.one_in(2);
        // The runtime ends in the middle of its tasks' work.
        let end = if cut_short { until + LONG } else { until };
        let tasks: Vec<_> = (0..random.between(2, 12))
            .map(|_| {
                let (stage, random) = (Arc::clone(stage), random.fork());
                numbered.runtime.spawn(calls(stage, numbered.scope, end, random))
            })
            .collect();
        if cut_short {
            numbered.runtime.block_on(sleep_until(until));
            shut_down(numbered, &mut random);
        } else {
            numbered.runtime.block_on(wait_for_all(tasks));
            if random.one_in(4) {
                left.push(numbered);
            }
        }
    }
    left
}

async fn sleep_until(instant: Instant) {
    sleep(instant.saturating_duration_since(Instant::now())).await;
}

fn shut_down(numbered: Numbered, random: &mut Random) {
    match random.below(3) {
        0 => drop(numbered),
        1 => numbered.runtime.shutdown_background(),
        _ => numbered.runtime.shutdown_timeout(random.micros(0, 500)),
    }
}

/// Makes one call after the other.
async fn calls(stage: Arc<Stage>, scope: Scope, until: Instant, mut random: Random) {
    let subject = Arc::clone(stage.any_shared(&mut random, true));
    let pause = random.micros(0, 2_000);
    let _slow = random.one_in(6).then(|| Slow { subject, pause, _stage: Arc::clone(&stage) });
    let mut beside = Vec::new();
    let mut subject = stage.any_shared(&mut random, true);
    while stage.may_call() && Instant::now() < until {
        if random.one_in(8) {
            subject = stage.any_shared(&mut random, true);
        }
        let call = subject.any_call(scope, &mut random);
        if let Some(held) = fate(call, &mut random).await {
            beside.extend(body(&stage, held, &mut random).await);
        }
        if random.one_in(4) {
            yield_now().await;
        }
        if beside.len() > 4 {
            wait_for_all(std::mem::take(&mut beside)).await;
        }
    }
    wait_for_all(beside).await;
}

/// Waits for the permit, or cancels the call at some moment before.
async fn fate(mut call: Call, random: &mut Random) -> Option<Held> {
    match random.below(12) {
        0 => None,
        1 => polled_so_often(&mut call, random.between(1, 3)).await.and_then(Result::ok),
        2 => granted_and_not_polled(&mut call).await.and_then(Result::ok),
        3 => timeout(random.micros(0, 3_000), call).await.ok().and_then(Result::ok),
        _ => call.await.ok(),
    }
}

/// Polls a call up to `times` times, and returns its result if it is ready by then.
async fn polled_so_often(call: &mut Call, mut times: u32) -> Option<Outcome> {
    poll_fn(move |context| {
        if let Poll::Ready(outcome) = Pin::new(&mut *call).poll(context) {
            return Poll::Ready(Some(outcome));
        }
        times -= 1;
        if times == 0 {
            return Poll::Ready(None);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Polls a call once, and returns its result if it is ready. Otherwise the call is not polled again
/// when it is woken.
async fn granted_and_not_polled(call: &mut Call) -> Option<Outcome> {
    let mut polled = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(None);
        }
        Pin::new(&mut *call).poll(context).map(Some)
    })
    .await
}

/// Does something under the permit. Returns a task that goes on with the permit, for the caller to
/// wait for.
async fn body(stage: &Stage, held: Held, random: &mut Random) -> Option<JoinHandle<()>> {
    match random.below(24) {
        0 => {
            // A panic of one call must not end the task's other calls, so it stops here.
            provoked::catch(|| {
                let _held = held;
                provoked::provoke()
            });
        }
        1 => {
            let pause = random.micros(0, 2_000);
            let body = async move {
                let _held = held;
                sleep(pause).await;
            };
            drop(timeout(pause / 2, body).await);
        }
        2 => {
            sleep(random.micros(0, 1_500)).await;
            drop(held);
        }
        3 => stage.linger(held),
        4 => return Some(spawn_blocking(move || drop(held))),
        5 => {
            return Some(tokio::spawn(async move {
                yield_now().await;
                drop(held);
            }));
        }
        6 => {
            let task = tokio::spawn(async move {
                let _held = held;
                yield_now().await;
                yield_now().await;
            });
            task.abort();
            return Some(task);
        }
        7 => {
            return Some(tokio::spawn(async move {
                let _held = held;
                yield_now().await;
                provoked::provoke();
            }));
        }
        8..14 => {
            for _ in 0..random.between(1, 3) {
                yield_now().await;
            }
            drop(held);
        }
        _ => drop(held),
    }
    None
}

/// A value that takes its time to be dropped, and makes a call then. Its runtime may have ended.
struct Slow {
    subject: Arc<Subject>,
    pause: Duration,
    _stage: Arc<Stage>,
}

impl Drop for Slow {
    fn drop(&mut self) {
        thread::sleep(self.pause);
        if !self.subject.spec.keyed {
            drop(self.subject.try_acquire(Scope::Unknown, None));
        }
    }
}
