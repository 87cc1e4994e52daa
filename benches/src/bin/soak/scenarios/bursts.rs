//! Rates: more calls than may start in one window, and then none for a while. Only the clock serves
//! the waiters, because no other call comes or goes. A thread takes snapshots.

use crate::random::Random;
use crate::request::Scope;
use crate::spec::Spec;
use crate::stage::{Numbered, Stage, wait_for_all};
use crate::subject::Subject;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;
use tokio::time::{sleep, timeout};

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    let numbered = if random.one_in(3) { Numbered::one_thread() } else { Numbered::workers(4) };
    let subjects: Vec<_> = (0..random.between(2, 16))
        .map(|_| stage.subject("burst", Spec::rate(&mut random)))
        .collect();
    let over = AtomicBool::new(false);
    let pause = random.micros(0, 500);
    thread::scope(|scope| {
        if !random.one_in(4) {
            scope.spawn(|| look(&subjects, pause, &over));
        }
        let spawn = |subject: &Arc<Subject>| {
            let (stage, subject, random) = (Arc::clone(stage), Arc::clone(subject), random.fork());
            numbered.runtime.spawn(bursts(stage, subject, numbered.scope, random))
        };
        let tasks: Vec<_> = subjects.iter().map(spawn).collect();
        numbered.runtime.block_on(wait_for_all(tasks));
        over.store(true, Relaxed);
    });
    vec![numbered]
}

/// Takes snapshots.
fn look(subjects: &[Arc<Subject>], pause: Duration, over: &AtomicBool) {
    while !over.load(Relaxed) {
        for subject in subjects {
            drop(subject.limiter.snapshot());
        }
        thread::sleep(pause);
    }
}

async fn bursts(stage: Arc<Stage>, subject: Arc<Subject>, scope: Scope, mut random: Random) {
    while stage.may_call() {
        // Half the time few calls wait. The last of them have no later call behind them that would
        // serve them.
        let most = if random.one_in(2) { 2 } else { 2 * subject.spec.limit + 2 };
        let calls = subject.spec.limit + random.between(1, most);
        let spawn = |_| tokio::spawn(call(Arc::clone(&subject), scope, random.fork()));
        let calls = (0..calls).map(spawn).collect();
        wait_for_all(calls).await;
        sleep(random.micros(0, 8_000)).await;
    }
}

async fn call(subject: Arc<Subject>, scope: Scope, mut random: Random) {
    if random.one_in(2) {
        sleep(random.micros(0, 3_000)).await;
    }
    let mut call = subject.any_call(scope, &mut random);
    let pause = random.one_in(3).then(|| random.micros(0, 4_000));
    let call = poll_fn(move |context| match pause {
        None => Pin::new(&mut call).poll(context),
        Some(pause) => {
            let waker = Arc::new(SlowWaker { task: context.waker().clone(), pause }).into();
            Pin::new(&mut call).poll(&mut Context::from_waker(&waker))
        }
    });
    let held = if random.one_in(12) {
        timeout(random.micros(0, 10_000), call).await.ok().and_then(Result::ok)
    } else {
        call.await.ok()
    };
    if held.is_some() && random.one_in(4) {
        sleep(random.micros(0, 3_000)).await;
    }
}

/// A waker that wakes its task after a pause. The code that wakes it is held up, and much can
/// happen meanwhile.
struct SlowWaker {
    task: Waker,
    pause: Duration,
}

impl Wake for SlowWaker {
    fn wake(self: Arc<Self>) {
        thread::sleep(self.pause);
        self.task.wake_by_ref();
    }
}
