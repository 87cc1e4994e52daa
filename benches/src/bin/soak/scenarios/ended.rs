//! Ends a runtime slowly. Meanwhile the next one begins, and gets the permits of the first.

use crate::random::Random;
use crate::spec::Spec;
use crate::stage::{Numbered, Stage, wait_for_all};
use crate::subject::Subject;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    let mut rate = Spec { scope: limit_runtime::Scope::Runtime, ..Spec::rate(&mut random) };
    if random.one_in(2) {
        rate.limit = 1;
    }
    let subject = stage.subject("ended", rate);
    while stage.may_call() {
        let first = Numbered::workers(1);
        drop(calls(stage, &first, &subject, LONG, &mut random));
        thread::sleep(random.micros(0, 2_000));
        for _ in 0..random.between(0, 8) {
            let slow =
                Slow(if random.one_in(2) { random.micros(0, 4_000) } else { Duration::ZERO });
            first.runtime.spawn(async move {
                let _slow = slow;
                sleep(LONG).await;
            });
        }
        // The first use takes the registry that others have left, so that the next runtime gets the
        // one of this.
        let beside: Vec<_> = (0..random.between(1, 6)).map(|_| Numbered::one_thread()).collect();
        for Numbered { runtime, scope } in &beside {
            let _entered = runtime.enter();
            drop(subject.try_acquire(*scope, subject.spec.any_request(&mut random).key));
        }
        // The one worker of the runtime drops the tasks, one after the other.
        first.runtime.shutdown_background();
        thread::sleep(random.micros(0, 4_000));
        let next = Numbered::any(&mut random);
        let body = random.micros(0, 4_000);
        let calls = calls(stage, &next, &subject, body, &mut random);
        next.runtime.block_on(wait_for_all(calls));
    }
    Vec::new()
}

/// A time longer than the life of a runtime.
const LONG: Duration = Duration::from_secs(1);

/// Makes more calls than may start at once. Their bodies take this long.
fn calls(
    stage: &Arc<Stage>,
    numbered: &Numbered,
    subject: &Arc<Subject>,
    body: Duration,
    random: &mut Random,
) -> Vec<JoinHandle<()>> {
    let calls = subject.spec.limit + *random.pick(&[0, 1, 1, 1, 2, 3]);
    let spawn = |_| {
        let (stage, subject) = (Arc::clone(stage), Arc::clone(subject));
        let (scope, mut random) = (numbered.scope, random.fork());
        numbered.runtime.spawn(async move {
            let _stage = stage;
            if let Ok(_held) = subject.any_call(scope, &mut random).await {
                sleep(body).await;
            }
        })
    };
    (0..calls).map(spawn).collect()
}

/// A value that takes this long to be dropped.
struct Slow(Duration);

impl Drop for Slow {
    fn drop(&mut self) {
        thread::sleep(self.0);
    }
}
