//! When the limiter asks, and what it learns.

use super::{Bench, MS};
use crate::adaptive::controller::{Cause, Outcome};

#[test]
fn times_cut_the_limit_at_most_by_half_before_the_next_question() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(10 * MS, 0);
    bench.question(10 * MS);
    assert_eq!(bench.limit(), 72);
    for _ in 0..5 {
        bench.cohort(1_000 * MS, 0);
    }
    assert_eq!(bench.limit(), 36);
    bench.question(500 * MS);
    assert_eq!(bench.limit(), 36);
    bench.cohort(5_000 * MS, 0);
    assert_eq!(bench.limit(), 18);
}

#[test]
fn a_question_halves_the_limit_for_one_cohort() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    assert_eq!(bench.ask(), Some(Cause::Question));
    assert_eq!(bench.limit(), 36);
    assert_eq!(bench.controller.dip(), 36);
    assert_eq!(bench.cohort(60 * MS, 0), Some(Cause::Answer));
    assert_eq!(bench.limit(), 72);
    assert_eq!(bench.controller.dip(), 0);
    assert_eq!(bench.controller.base_time(), Some(88 * MS));
}

#[test]
fn questions_lie_at_multiples_of_ten_seconds_and_a_little() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    for _ in 0..3 {
        bench.ask();
        assert_eq!(bench.now.saturating_sub(6_180 * MS).as_millis() % 10_000, 0);
        bench.cohort(MS, 0);
    }
}

#[test]
fn the_moments_of_a_slow_limiter_are_moments_of_all_others() {
    let mut bench = Bench::new(1, 200, 16);
    bench.cohort(2_000 * MS, 0);
    // Five questions of 2 s · (4 + 16 / 20).
    let others = (0..16).map(|_| {
        bench.now += 1_000 * MS;
        while bench.now.saturating_sub(6_180 * MS).as_millis() % 10_000 != 0 {
            bench.now += 10 * MS;
        }
        (bench.now.saturating_sub(6_180 * MS).as_millis() % 80_000, bench.update())
    });
    let asked: Vec<u128> =
        others.filter(|(_, cause)| *cause == Some(Cause::Question)).map(|(at, _)| at).collect();
    assert_eq!(asked, [0, 0]);
}

#[test]
fn nothing_is_asked_while_permits_are_free() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    let at = bench.controller.next_update().expect("the next question");
    assert_eq!(bench.controller.update(at, 3, false), None);
    assert_eq!(bench.controller.next_update(), None);
}

#[test]
fn a_limiter_that_was_idle_at_the_moment_does_not_ask_late() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    bench.now = bench.controller.next_update().expect("the next question") + 700 * MS;
    assert_eq!(bench.update(), None);
}

#[test]
fn a_question_whose_cohort_does_not_fill_is_given_up() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    bench.ask();
    let asked = bench.now;
    bench.controller.begin(bench.now, 1);
    bench.now = bench.controller.next_update().expect("the time-out");
    // A fifth of ten seconds, and four times 100 ms.
    assert_eq!(bench.now.saturating_sub(asked), 2_400 * MS);
    assert_eq!(bench.update(), Some(Cause::Answer));
    assert_eq!((bench.limit(), bench.controller.base_time()), (72, Some(100 * MS)));
}

#[test]
fn a_question_takes_a_twentieth_of_the_calls_or_16() {
    for (calls, size) in [(0, 16), (400, 24), (100_000, 36)] {
        let mut bench = Bench::new(1, 200, 64);
        bench.cohort(100 * MS, 0);
        // Some wait in the cohort, and others after it.
        let members = bench.fill();
        bench.controller.pass(calls);
        for member in members {
            bench.controller.end(member, bench.now + 100 * MS, Outcome::Good);
        }
        bench.now += 100 * MS;
        bench.update();
        assert_eq!(bench.ask(), Some(Cause::Question));
        assert_eq!(bench.fill().len(), size, "of {calls} calls");
    }
}

#[test]
fn a_question_whose_calls_did_not_wait_teaches_nothing() {
    let mut bench = Bench::new(1, 200, 64);
    bench.cohort(100 * MS, 0);
    bench.ask();
    bench.controller.pass(1_000);
    assert_eq!(bench.cohort(10 * MS, 0), Some(Cause::Answer));
    assert_eq!(bench.controller.base_time(), Some(100 * MS));
}
