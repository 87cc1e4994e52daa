//! Moves waiting calls from one runtime, which ends, to the next, where only woken calls are
//! polled.

use crate::random::Random;
use crate::request::Scope;
use crate::spec::Spec;
use crate::stage::{Numbered, Stage, wait_for_all};
use crate::subject::Subject;
use std::sync::Arc;
use tokio::task::{LocalSet, yield_now};
use tokio::time::sleep;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    let own = stage.subject("moved", Spec::rate(&mut random));
    while stage.may_call() {
        let local = LocalSet::new();
        let tasks: Vec<_> = (0..random.between(1, 6))
            .map(|_| {
                let shared = stage.any_shared(&mut random, true);
                let subject = Arc::clone(if random.one_in(2) { &own } else { shared });
                local.spawn_local(calls(subject, random.fork()))
            })
            .collect();
        for _ in 0..random.between(1, 3) {
            let numbered = Numbered::one_thread();
            let pause = random.micros(0, 5_000);
            local.block_on(&numbered.runtime, async { sleep(pause).await });
        }
        let last = Numbered::one_thread();
        local.block_on(&last.runtime, wait_for_all(tasks));
    }
    Vec::new()
}

/// Makes some calls, one after the other. Their bodies need no timer, which would belong to one
/// runtime.
async fn calls(subject: Arc<Subject>, mut random: Random) {
    for _ in 0..random.between(1, 3) {
        let call = subject.any_call(Scope::Unknown, &mut random);
        if let Ok(_held) = call.await {
            yield_now().await;
        }
    }
}
