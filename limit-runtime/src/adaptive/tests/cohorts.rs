//! Which calls count, and how.

use super::{Bench, MS};
use crate::adaptive::controller::{Cause, Outcome};

#[test]
fn a_cohort_has_at_least_24_calls_and_more_if_times_vary() {
    let mut bench = Bench::new(1, 200, 16);
    // Before the first times are known they are taken for exponential: 1 / .15².
    assert_eq!(bench.fill().len(), 44);
    let mut bench = Bench::new(1, 200, 16);
    for _ in 0..40 {
        bench.cohort(100 * MS, 0);
    }
    assert_eq!(bench.fill().len(), 24);
    let mut bench = Bench::new(1, 200, 16);
    for _ in 0..40 {
        let members = bench.fill();
        // Every fifth takes long.
        for (index, member) in members.into_iter().enumerate() {
            let time = if index % 5 == 0 { 1_000 * MS } else { MS };
            bench.controller.end(member, bench.now + time, Outcome::Good);
        }
        bench.now += 1_000 * MS;
        bench.update();
    }
    let size = bench.fill().len();
    assert!((100..=400).contains(&size), "{size}");
}

#[test]
fn calls_that_did_not_wait_keep_the_limit_if_they_are_a_tenth_or_more() {
    for (passed, cause) in [(4, Some(Cause::Grow)), (5, None)] {
        let mut bench = Bench::new(1, 200, 16);
        bench.controller.pass(passed);
        assert_eq!(bench.cohort(100 * MS, 0), cause, "{passed} beside 44");
    }
}

#[test]
fn a_refused_call_says_that_the_limit_binds_and_wants_any_call_as_a_member() {
    let mut bench = Bench::new(1, 200, 16);
    bench.controller.pass(1_000);
    assert!(!bench.controller.wants_any_call());
    bench.controller.refuse();
    assert!(bench.controller.wants_any_call());
    assert_eq!(bench.cohort(100 * MS, 0), Some(Cause::Grow));
}

#[test]
fn a_time_twice_as_long_is_news_and_others_are_averaged() {
    for (next, expected) in [(190, 127), (210, 210), (60, 88), (40, 40)] {
        let mut bench = Bench::new(1, 200, 64);
        bench.cohort(100 * MS, 0);
        bench.cohort(next * MS, 0);
        assert_eq!(bench.controller.time(), Some(expected * MS), "after 100 ms and {next} ms");
    }
}

#[test]
fn a_cohort_waits_for_its_last_calls_five_times_as_long_as_usual() {
    let mut bench = Bench::new(1, 200, 16);
    bench.cohort(100 * MS, 0);
    let members = bench.fill();
    let began = bench.now;
    for member in &members[1..] {
        bench.controller.end(*member, began + 100 * MS, Outcome::Good);
    }
    bench.now = began + 499 * MS;
    assert_eq!(bench.update(), None);
    bench.now = began + 500 * MS;
    assert_eq!(bench.controller.next_update(), Some(bench.now));
    // (39 · 100 + 500) / 40 is 10 % more, of which .3 count.
    bench.update();
    assert_eq!(bench.controller.time(), Some(103 * MS));
    // It ends when it counts no more.
    bench.controller.end(members[0], bench.now, Outcome::Overloaded);
    assert_eq!(bench.cohort(103 * MS, 0), Some(Cause::Grow));
}

#[test]
fn a_call_that_panicked_counts_not_at_all() {
    let mut bench = Bench::new(1, 200, 16);
    let members = bench.fill();
    let (ignored, good) = members.split_at(20);
    for member in ignored {
        bench.controller.end(*member, bench.now + 10_000 * MS, Outcome::Ignored);
    }
    bench.now += 100 * MS;
    for member in good {
        bench.controller.end(*member, bench.now, Outcome::Good);
    }
    assert_eq!(bench.update(), Some(Cause::Grow));
    assert_eq!(bench.controller.time(), Some(100 * MS));
}

#[test]
fn a_cancelled_call_counts_only_if_it_has_lasted_for_longer_than_usual() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    for (time, expected) in [(90, 100), (190, 113)] {
        let members = bench.fill();
        let (cancelled, good) = members.split_at(members.len() / 2);
        for member in cancelled {
            bench.controller.end(*member, bench.now + time * MS, Outcome::Cancelled);
        }
        for member in good {
            bench.controller.end(*member, bench.now + 100 * MS, Outcome::Good);
        }
        bench.now += time.max(100) * MS;
        bench.update();
        let time = bench.controller.time().expect("it is known");
        assert_eq!(time.as_millis(), expected);
    }
}

#[test]
fn a_call_counts_as_often_as_its_weight() {
    let mut bench = Bench::new(1, 200, 16);
    let mut members = Vec::new();
    while bench.controller.wants_member() {
        let weight = if members.is_empty() { 43 } else { 1 };
        members.extend(bench.controller.begin(bench.now, weight));
    }
    for member in &members[1..] {
        bench.controller.end(*member, bench.now + 100 * MS, Outcome::Good);
    }
    bench.now += 300 * MS;
    bench.controller.end(members[0], bench.now, Outcome::Good);
    bench.update();
    assert_eq!(bench.controller.time(), Some(200 * MS));
}

#[test]
fn overload_counts_as_often_as_the_weight() {
    let mut bench = Bench::new(1, 200, 100);
    let heavy = bench.controller.begin(bench.now, 43).expect("a member");
    let others = bench.fill();
    bench.controller.end(heavy, bench.now, Outcome::Overloaded);
    for member in others {
        bench.controller.end(member, bench.now, Outcome::Good);
    }
    assert_eq!(bench.update(), Some(Cause::Overload));
    assert_eq!(bench.limit(), 75);
}

#[test]
fn a_call_counts_with_five_times_the_usual_time_at_most() {
    let mut bench = Bench::new(1, 200, 16);
    bench.cohort(100 * MS, 0);
    let long = bench.controller.begin(bench.now, 1).expect("a member");
    bench.now += 60_000 * MS;
    let others = bench.fill();
    bench.controller.end(long, bench.now, Outcome::Good);
    bench.now += 100 * MS;
    for member in others {
        bench.controller.end(member, bench.now, Outcome::Good);
    }
    bench.update();
    // Of 40 calls it counts with 500 ms, and the others with 100 ms.
    assert_eq!(bench.controller.time(), Some(103 * MS));
}

#[test]
fn a_call_of_an_older_cohort_counts_not_at_all() {
    let mut bench = Bench::new(1, 200, 16);
    bench.cohort(100 * MS, 0);
    let late = bench.fill().split_off(20);
    bench.now += 500 * MS;
    bench.update();
    let members = bench.fill();
    for member in late {
        bench.controller.end(member, bench.now, Outcome::Overloaded);
    }
    for member in members {
        bench.controller.end(member, bench.now, Outcome::Good);
    }
    assert_eq!(bench.update(), Some(Cause::Grow));
}
