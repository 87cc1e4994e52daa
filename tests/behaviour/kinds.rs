//! The kinds of refusal, and the counts of each.

use limit_runtime::{Limiter, RejectedCounts, RejectedKind};
use std::collections::HashSet;

#[test]
fn each_kind_has_a_name_of_its_own() {
    let names: Vec<_> = RejectedKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let expected = [
        "no_permits",
        "queue_full",
        "timed_out",
        "too_heavy",
        "closed",
        "evicted",
        "unavailable",
        "deadlock",
        "would_time_out",
    ];
    assert_eq!(names, expected);
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), RejectedKind::ALL.len());
    for kind in RejectedKind::ALL {
        assert_eq!(kind.to_string(), kind.as_str());
        assert_eq!(format!("{kind:>12}|{kind:-<12}|{kind:.3}"), {
            let name = kind.as_str();
            format!("{name:>12}|{name:-<12}|{name:.3}")
        });
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_serialised_kind_is_its_name() {
    for kind in RejectedKind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("it is serialised"), kind.as_str());
        let back: RejectedKind = serde_json::from_value(kind.as_str().into()).expect("a kind");
        assert_eq!(back, *kind);
    }
    let counts = serde_json::to_value(RejectedCounts::default()).expect("they are serialised");
    let names: HashSet<_> = counts.as_object().expect("by kind").keys().cloned().collect();
    let kinds = RejectedKind::ALL.iter().map(|kind| kind.as_str().to_owned());
    assert_eq!(names, kinds.collect());
}

#[test]
fn each_kind_has_a_count_of_its_own() {
    let mut counts = RejectedCounts::default();
    counts.no_permits = 1;
    counts.queue_full = 2;
    counts.timed_out = 3;
    counts.too_heavy = 4;
    counts.closed = 5;
    counts.evicted = 6;
    counts.unavailable = 7;
    counts.deadlock = 8;
    counts.would_time_out = 9;
    let each: Vec<_> = RejectedKind::ALL.iter().map(|&kind| counts.get(kind)).collect();
    assert_eq!(each, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(counts.total(), 45);
}

#[test]
fn figures_for_people_say_how_many_were_refused_whatever_the_kind() {
    let limiter = Limiter::new("kinds-shown", 1).max_waiting(0);
    let _held = limiter.try_acquire().expect("a permit is free");
    limiter.try_acquire().expect_err("no permit is free");
    limiter.close();
    limiter.try_acquire().expect_err("it is closed");
    let shown = limiter.snapshot().total.to_string();
    assert!(shown.contains("  rejected    2\n"), "{shown}");
}
