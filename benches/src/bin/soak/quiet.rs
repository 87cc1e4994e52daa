//! The checks of a limiter while no call is under way.

use crate::request::{Key, Scope};
use crate::stage::Numbered;
use crate::subject::Subject;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

/// Checks all limiters: from outside any runtime, from each of these runtimes, and from a new one.
pub(crate) fn check(subjects: &[Arc<Subject>], mut runtimes: Vec<Numbered>) {
    // With a rate, permits come back when their windows are over.
    let windows = subjects.iter().filter_map(|subject| subject.spec.per);
    thread::sleep(windows.max().unwrap_or_default() + Duration::from_millis(1));
    for subject in subjects {
        unused(subject);
    }
    runtimes.push(Numbered::one_thread());
    for subject in subjects {
        all_can_be_taken(subject, Scope::Process);
        if subject.spec.scope == limit_runtime::Scope::Runtime {
            for Numbered { runtime, scope } in &runtimes {
                let _entered = runtime.enter();
                all_can_be_taken(subject, *scope);
            }
        }
    }
    // With a rate, the permits just taken are out until their windows are over.
    for subject in subjects.iter().filter(|subject| subject.spec.per.is_none()) {
        unused(subject);
    }
}

/// Checks that no permit is held, nobody waits, no key is left, and every call was counted.
fn unused(subject: &Subject) {
    let account = &subject.account;
    let snapshot = subject.limiter.snapshot();
    let total = &snapshot.total;
    if total.in_use + total.waiting + total.keys > 0 {
        let runtimes = snapshot.runtimes.iter();
        let runtimes: Vec<_> = runtimes
            .filter(|of| of.figures.in_use + of.figures.waiting + of.figures.keys > 0)
            .map(|of| format!("runtime {}: {}", of.runtime, of.figures))
            .collect();
        account.lost(format_args!("nobody uses it, but {snapshot}; {}", runtimes.join("; ")));
    }
    account.check_figures(total);
    let mut context = Context::from_waker(Waker::noop());
    if pin!(subject.limiter.drain()).poll(&mut context).is_pending() {
        account.lost("nobody uses it, but it is not drained");
    }
}

/// Checks that all permits can be taken, and no more than these.
fn all_can_be_taken(subject: &Subject, scope: Scope) {
    let key = subject.spec.keyed.then_some(Key(0));
    let limit = subject.spec.limit.min(subject.spec.total.unwrap_or(u32::MAX));
    let mut held = Vec::new();
    while let Some(permit) = subject.try_acquire(scope, key.clone()) {
        held.push(permit);
        if held.len() > limit as usize {
            break;
        }
    }
    if held.len() != limit as usize {
        let snapshot = subject.limiter.snapshot();
        let taken = held.len();
        subject.account.lost(format_args!(
            "{taken} permits can be taken in {scope:?}, not {limit}: {snapshot}"
        ));
    }
}
