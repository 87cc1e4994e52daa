//! Leaves calls unpolled while they wait, so that their grants are taken back, and polls them on later.

use crate::random::Random;
use crate::request::Scope;
use crate::spec::Spec;
use crate::stage::{Numbered, Stage, wait_for_all};
use crate::subject::Subject;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::sleep;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    let spec = Spec { claim_within: Duration::from_millis(1), ..Spec::any(&mut random, true) };
    let own = stage.subject("absent", spec);
    while stage.may_call() {
        let numbered = Numbered::any(&mut random);
        let tasks: Vec<_> = (0..random.between(2, 8))
            .map(|_| {
                let subject =
                    if random.one_in(4) { stage.any_shared(&mut random, true) } else { &own };
                let (subject, random) = (Arc::clone(subject), random.fork());
                numbered.runtime.spawn(calls(subject, numbered.scope, random))
            })
            .collect();
        numbered.runtime.block_on(wait_for_all(tasks));
    }
    Vec::new()
}

async fn calls(subject: Arc<Subject>, polled: Scope, mut random: Random) {
    for _ in 0..random.between(1, 6) {
        let mut call = pin!(subject.any_call(polled, &mut random));
        let outcome = poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending => Poll::Ready(None),
        });
        let outcome = match outcome.await {
            Some(outcome) => outcome,
            // Now and then the call is dropped while nobody polls it.
            None if random.one_in(6) => {
                sleep(random.micros(0, 20_000)).await;
                continue;
            }
            None => {
                if random.one_in(2) {
                    sleep(random.micros(0, 400_000)).await;
                }
                call.await
            }
        };
        if let Ok(_held) = outcome {
            yield_now().await;
        }
    }
}
