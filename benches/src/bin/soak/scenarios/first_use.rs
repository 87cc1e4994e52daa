//! Uses a limiter for the first time on several threads at once. It has permits for all of them, so
//! no call waits and none is refused.

use crate::random::Random;
use crate::request::{Request, Scope};
use crate::score::{Fault, fault};
use crate::spec::Spec;
use crate::stage::{Numbered, Stage};
use limit_runtime::Limiter;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;

const THREADS: u32 = 3;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    while stage.may_call() {
        if random.one_in(3) {
            resolve_at_once();
        } else {
            at_once(stage, &mut random);
        }
        stage.sleep(random.micros(0, 1_000));
    }
    Vec::new()
}

/// Makes calls outside any runtime, each polled once.
fn at_once(stage: &Stage, random: &mut Random) {
    let spec = Spec {
        max_waiting: Some(0),
        // There is no timer here, and these calls need none.
        max_wait: random.one_in(2).then_some(Duration::from_millis(5)),
        ..Spec::plain(limit_runtime::Scope::Process, THREADS)
    };
    let subject = &stage.short_lived("first-use", spec);
    let all_are_in = all_at_once(|| {
        let mut call = subject.call(Scope::Process, Request::default());
        match Pin::new(&mut call).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(held)) => return Some(held),
            Poll::Ready(Err(end)) => {
                subject.account.lost(format_args!("a free permit is not given: {end:?}"));
            }
            Poll::Pending => subject.account.lost("a free permit is waited for"),
        }
        None
    });
    drop(all_are_in);
}

/// A limit that takes its time to be resolved.
fn resolve_at_once() {
    let limiter = &Limiter::lazy("first-use-lazy", || {
        thread::sleep(Duration::from_micros(200));
        THREADS as usize
    })
    .scope(limit_runtime::Scope::Process)
    .max_waiting(0);
    let permits = all_at_once(|| {
        // The runtime has no timer.
        let runtime = Builder::new_current_thread().build().expect("a runtime can be made");
        runtime.block_on(limiter.acquire())
    });
    for rejected in permits.iter().filter_map(|result| result.as_ref().err()) {
        fault(Fault::Lost, &format!("a free permit, while the limit was found out: {rejected}"));
    }
}

/// Runs this on several threads that begin at the same time, and returns their results.
fn all_at_once<T: Send>(make: impl Fn() -> T + Sync) -> Vec<T> {
    let barrier = &Barrier::new(THREADS as usize);
    let make = &make;
    thread::scope(|scope| {
        let begin = move || {
            barrier.wait();
            make()
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(begin)).collect();
        // The panic hook reports a panic.
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}
