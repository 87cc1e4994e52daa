//! Drops limiters with permits out, while others drain them or listen, and makes them anew under
//! the same name.

use crate::call::Held;
use crate::random::Random;
use crate::spec::Spec;
use crate::stage::{Numbered, Stage};
use crate::subject::Subject;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::yield_now;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    let numbered = Numbered::any(&mut random);
    let mut kept = Vec::new();
    while stage.may_call() {
        let spec = Spec::any(&mut random, true);
        let subject = stage.short_lived("dropped", spec);
        numbered.runtime.block_on(use_and_drop(subject, &numbered, &mut random, &mut kept));
        // Permits of several earlier limiters are still out.
        while kept.len() > 6 || (!kept.is_empty() && random.one_in(2)) {
            let held = random.below(u32::try_from(kept.len()).expect("they are few"));
            drop(kept.swap_remove(held as usize));
        }
        stage.sleep(random.micros(0, 500));
    }
    drop(kept);
    vec![numbered]
}

async fn use_and_drop(
    subject: Subject,
    numbered: &Numbered,
    random: &mut Random,
    kept: &mut Vec<Held>,
) {
    // A limiter that nobody has used is not on the list, and has not its own name yet.
    drop(subject.limiter.snapshot());
    let held = permits(&subject, numbered, random);
    let drains = random.one_in(2).then(|| {
        let drain = subject.limiter.drain();
        numbered.runtime.spawn(drain)
    });
    let listens = random.one_in(2).then(|| {
        let mut events = subject.limiter.subscribe();
        numbered
            .runtime
            .spawn(async move { while !matches!(events.recv().await, Err(RecvError::Closed)) {} })
    });
    // The calls are polled, and wait.
    for _ in 0..random.below(3) {
        yield_now().await;
    }
    let account = Arc::clone(&subject.account);
    let handle = limit_runtime::find(subject.limiter.name());
    drop(subject);
    match handle {
        Some(handle) => account.check_figures(&handle.snapshot().total),
        None => account.lost("it is not found by its name"),
    }
    // Drains and listeners end, although permits are out.
    if let Some(drains) = drains {
        drop(drains.await);
    }
    if let Some(listens) = listens {
        drop(listens.await);
    }
    kept.extend(held);
}

/// Takes the permits that are free, by calls that are polled once. Calls that wait are cancelled.
fn permits(subject: &Subject, numbered: &Numbered, random: &mut Random) -> Vec<Held> {
    let mut context = Context::from_waker(Waker::noop());
    let mut held = Vec::new();
    for _ in 0..random.below(6) {
        let mut call = subject.any_call(numbered.scope, random);
        if let Poll::Ready(outcome) = Pin::new(&mut call).poll(&mut context) {
            held.extend(outcome.ok());
        }
    }
    held
}
