//! Changes limiters while others use them.

use crate::limiter::Change;
use crate::random::Random;
use crate::stage::{Numbered, Stage};
use crate::subject::Subject;
use std::sync::Arc;
use std::thread;

pub(crate) fn act(stage: &Arc<Stage>, mut random: Random) -> Vec<Numbered> {
    // All other limiters stay unchanged, to show that their waiters need no change to get on.
    let subjects: Vec<_> = stage.shared().iter().filter(|_| !random.one_in(3)).collect();
    if subjects.is_empty() {
        return Vec::new();
    }
    let pause = random.between(10, 2_000);
    while stage.may_change() {
        let subject = random.pick(&subjects);
        for change in any(subject, &mut random) {
            subject.change(change);
        }
        thread::sleep(random.micros(0, pause));
    }
    for subject in subjects {
        subject.restore();
    }
    Vec::new()
}

fn any(subject: &Subject, random: &mut Random) -> Vec<Change> {
    let spec = &subject.spec;
    match random.below(10) {
        0..3 => vec![Change::Limit(random.below(9))],
        3 if spec.total.is_some() => vec![Change::Total(random.below(12))],
        3 | 4 => vec![Change::Closed(true)],
        5 => vec![Change::Closed(false)],
        6 => vec![Change::Enabled(false), Change::Enabled(true)],
        7 => vec![Change::Shadow(true), Change::Shadow(false)],
        8 if spec.max_wait.is_some() => vec![Change::MaxWait(random.micros(0, 5_000))],
        8 => vec![Change::MaxWaiting(random.below(9))],
        _ => vec![Change::Reset],
    }
}
