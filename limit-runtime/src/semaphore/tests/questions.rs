//! A question that no call sees to its end.

use super::super::{Held, NewBinding, Semaphore};
use crate::adaptive::Adaptation;
use crate::policy::Policy;
use std::thread;
use std::time::Duration;
use tokio::time::Instant;

const MS: Duration = Duration::from_millis(1);

fn take(semaphore: &'static Semaphore) -> Held {
    semaphore.try_acquire(1, || true).expect("a permit is free")
}

#[test]
fn the_watcher_ends_a_question_though_nobody_calls() {
    let semaphore: &'static Semaphore = Box::leak(Box::new(Semaphore::new()));
    let range = Adaptation::between(1, 100, None);
    let binding = NewBinding::of(&Policy::PLAIN, 8);
    semaphore
        .bind(NewBinding { adapting: Some((range, None)), ..binding })
        .expect("it is free")
        .wake();
    semaphore.serve_all();
    // Two minutes of calls of 10 ms, which ended a minute ago.
    let began = Instant::now() - Duration::from_secs(180);
    let mut state = semaphore.lock();
    state.begin_earlier(Duration::from_secs(180));
    let mut now = began;
    while !state.is_asking() {
        assert!(now < began + Duration::from_secs(120), "it asks every ten seconds");
        let slot = state.begin_member(&semaphore.word, now, 1, super::super::slots::NO_SLOT);
        state.adapt(&semaphore.word, now, (8, true));
        now += 10 * MS;
        if let Some(slot) = slot {
            state.end_member(now, slot, false);
        }
        state.adapt(&semaphore.word, now, (8, true));
    }
    let half = state.adapted_limit().expect("it adapts");
    drop(state);
    semaphore.serve_all();
    semaphore.watch_until_due();
    let deadline = Instant::now() + Duration::from_secs(60);
    while semaphore.lock().is_asking() {
        assert!(Instant::now() < deadline, "the watcher looks");
        thread::yield_now();
    }
    assert!(semaphore.adapted_limit() > Some(half));
    drop(take(semaphore));
}
