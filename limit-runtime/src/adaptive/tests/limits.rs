//! Which limit follows.

use std::time::Duration;

use super::{Bench, MS, START};
use crate::adaptive::Favor;
use crate::adaptive::controller::{Cause, Controller, Outcome};
use crate::adaptive::rules::Rules;

#[test]
fn a_limiter_starts_at_twice_the_lowest() {
    assert_eq!(Controller::with(Rules::DEFAULT, 1, 200, None).limit(), 2);
    assert_eq!(Controller::with(Rules::DEFAULT, 4, 200, None).limit(), 8);
    assert_eq!(Controller::with(Rules::DEFAULT, 1, 3, None).limit(), 2);
    assert_eq!(Controller::with(Rules::DEFAULT, 3, 5, None).limit(), 5);
    assert_eq!(Controller::with(Rules::DEFAULT, 4, 200, Some(50)).limit(), 50);
    assert_eq!(Controller::with(Rules::DEFAULT, 4, 200, Some(500)).limit(), 200);
}

/// Runs the first two cohorts of a limiter that begins with the lowest limit, and one more. Returns the limits after each, and
/// `R0`, in milliseconds.
fn start(first: u32, second: u32, third: u32) -> ([u32; 3], u128) {
    let controller = Controller::with(Rules::DEFAULT, 1, 200, None);
    let mut bench = Bench { controller, now: START };
    let limits = [first, second, third].map(|time| {
        bench.cohort(time * MS, 0);
        bench.limit()
    });
    (limits, bench.controller.base_time().expect("it was measured").as_millis())
}

#[test]
fn the_first_two_cohorts_show_whether_two_calls_are_too_many_already() {
    // Of four calls two work. N is 2, and its root 1.
    assert_eq!(start(100, 200, 150), ([4, 3, 3], 100));
    // Four work, and more may.
    assert_eq!(start(100, 100, 100), ([4, 6, 8], 100));
}

#[test]
fn a_first_cohort_that_was_short_by_chance_holds_nothing_back() {
    let controller = Controller::with(Rules::DEFAULT, 1, 200, None);
    let mut bench = Bench { controller, now: START };
    // Times of 20 and 180 ms: the mean is 100 ms, and its standard error 14 of them.
    let mut cohort = |short: u32, long: u32| {
        let members = bench.fill();
        for (index, member) in members.into_iter().enumerate() {
            let time = if index % 2 == 0 { short } else { long };
            bench.controller.end(member, bench.now + time * MS, Outcome::Good);
        }
        bench.now += long * MS;
        bench.update();
        (bench.limit(), bench.controller.base_time())
    };
    assert_eq!(cohort(20, 180), (4, Some(100 * MS)));
    // Less than two standard errors longer: as far as anybody can tell, it is the time of a call that waits for no other.
    assert_eq!(cohort(24, 216), (6, Some(120 * MS)));
}

#[test]
fn a_limit_that_adds_no_queue_grows_by_its_root() {
    let mut bench = Bench::new(1, 200, 16);
    assert_eq!(bench.cohort(100 * MS, 0), Some(Cause::Grow));
    assert_eq!(bench.limit(), 20);
    assert_eq!(bench.controller.time(), Some(100 * MS));
}

#[test]
fn a_limit_whose_calls_queue_is_cut_to_the_calls_that_work_and_their_root() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    assert_eq!(bench.limit(), 72);
    bench.question(72 * MS);
    // R0 is now 100 + .3 (72 - 100) = 91.6 ms, and R 112: 72 · 91.6 / 112 and its root.
    assert_eq!(bench.cohort(140 * MS, 0), Some(Cause::Cut));
    assert_eq!(bench.limit(), 67);
}

#[test]
fn overloaded_calls_cut_the_limit_by_half_of_their_share() {
    let mut bench = Bench::new(1, 200, 100);
    assert_eq!(bench.cohort(MS, 22), Some(Cause::Overload));
    assert_eq!(bench.limit(), 75);
}

#[test]
fn overloaded_calls_cut_the_limit_from_the_most_calls_that_ran() {
    let mut bench = Bench::new(1, 200, 100);
    let members = bench.fill();
    for member in members {
        bench.controller.end(member, bench.now, Outcome::Overloaded);
    }
    assert_eq!(bench.controller.update(bench.now, 20, false), Some(Cause::Overload));
    assert_eq!(bench.limit(), 10);
}

#[test]
fn a_few_overloaded_calls_keep_the_limit_from_growing() {
    let mut bench = Bench::new(1, 200, 100);
    assert_eq!(bench.cohort(MS, 2), None);
    assert_eq!(bench.limit(), 100);
    assert_eq!(bench.cohort(MS, 0), Some(Cause::Grow));
}

#[test]
fn the_limit_rests_at_twice_the_lowest_or_above() {
    let mut bench = Bench::new(4, 200, 9);
    bench.cohort(MS, 44);
    assert_eq!(bench.limit(), 8);
    let mut bench = Bench::new(4, 6, 6);
    bench.cohort(MS, 44);
    assert_eq!(bench.limit(), 6);
}

#[test]
fn idle_time_changes_nothing() {
    let mut bench = Bench::new(1, 200, 64);
    for _ in 0..5 {
        bench.cohort(100 * MS, 0);
    }
    let before = (bench.limit(), bench.controller.time(), bench.controller.base_time());
    for second in 0..100_000 {
        let now = bench.now + Duration::from_secs(second);
        assert_eq!(bench.controller.update(now, 0, false), None);
    }
    assert_eq!(bench.controller.next_update(), None);
    assert_eq!((bench.limit(), bench.controller.time(), bench.controller.base_time()), before);
}

#[test]
fn a_limit_that_was_set_by_hand_stays_until_it_adapts_again() {
    let mut bench = Bench::new(4, 200, 64);
    bench.cohort(100 * MS, 0);
    bench.ask();
    bench.controller.freeze(3);
    assert_eq!((bench.limit(), bench.controller.dip()), (3, 0));
    assert!(!bench.controller.wants_member());
    assert_eq!(bench.cohort(MS, 0), None);
    assert_eq!(bench.controller.next_update(), None);
    bench.controller.thaw();
    assert_eq!(bench.limit(), 8);
    assert_eq!(bench.cohort(100 * MS, 0), Some(Cause::Grow));
}

#[test]
fn advice_needs_a_full_limit_and_a_quiet_time_and_changes_nothing() {
    let mut bench =
        Bench { controller: Controller::advising(Rules::DEFAULT, 1, 200, 100), now: START };
    assert!(bench.controller.wants_any_call());
    bench.cohort(500 * MS, 0);
    assert_eq!(bench.controller.advice(), None);
    let members = bench.fill();
    bench.now += 100 * MS;
    for member in members {
        bench.controller.end(member, bench.now, Outcome::Good);
    }
    // The mean of this observation and the one after the end.
    bench.controller.update(bench.now, 10, false);
    // 100 · 100 / 500 do work, and their root waits.
    assert_eq!((bench.controller.advice(), bench.limit()), (Some(24), 100));
    bench.controller.freeze(50);
    assert_eq!((bench.controller.advice(), bench.limit()), (Some(24), 50));
    assert!(bench.controller.wants_any_call());
}

#[test]
fn what_is_favored_moves_the_limit_by_roots_of_those_that_work() {
    let grows_to = |favor| {
        let rules = Rules { slack: Favor::slack(favor), ..Rules::DEFAULT };
        let controller = Controller::with(rules, 1, 200, Some(100));
        let mut bench = Bench { controller, now: START };
        bench.cohort(100 * MS, 0);
        bench.limit()
    };
    assert_eq!(grows_to(None), 110);
    assert_eq!(grows_to(Some(Favor::Latency)), 105);
    assert_eq!(grows_to(Some(Favor::Throughput)), 120);
}
