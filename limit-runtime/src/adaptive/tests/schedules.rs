//! The rules that hold in every schedule.

use std::time::Duration;

use super::{MS, START};
use crate::adaptive::controller::{Cause, Controller, Member, Outcome};
use crate::adaptive::rules::Rules;
use crate::random::Random;

/// The rules, and the state that they need.
struct Watch {
    /// Half of the limits that times may have been cut from.
    floor: u32,
    is_asking: bool,
    calls: u32,
    /// `true` while only one cohort was closed: the second may show that `R0` is longer.
    has_begun: bool,
    /// The most members of the question that is asked, and those it has.
    members: (u32, u32),
}

impl Watch {
    fn see(
        &mut self,
        controller: &Controller,
        before: (u32, Option<Duration>),
        cause: Option<Cause>,
    ) {
        let (low, high) = controller.range();
        let limit = controller.limit();
        let lowest =
            if self.is_asking || cause == Some(Cause::Question) { low } else { high.min(2 * low) };
        assert!((lowest..=high).contains(&limit), "{limit} in {lowest}..={high}");
        assert_eq!(limit == before.0, cause.is_none(), "{cause:?} from {} to {limit}", before.0);
        if controller.base_time() != before.1 {
            let is_second = std::mem::replace(&mut self.has_begun, before.1.is_none());
            let is_longer = is_second && controller.base_time() > before.1;
            assert!(
                before.1.is_none() || is_longer || cause == Some(Cause::Answer),
                "R0 changed by {cause:?}"
            );
        }
        match cause {
            Some(Cause::Question) => {
                assert!(controller.dip() > 0);
                self.is_asking = true;
                self.members = ((self.calls / 20).max(16), 0);
                self.calls = 0;
            }
            Some(Cause::Answer) => {
                self.is_asking = false;
                let half = limit.div_ceil(2);
                let has_learnt = controller.base_time() != before.1;
                self.floor = if has_learnt { half } else { self.floor.min(half) };
            }
            Some(Cause::Cut) => {
                assert!(limit >= self.floor.min(before.0), "{} to {limit}", before.0);
            }
            _ => {}
        }
        assert!(self.members.1 <= self.members.0, "a question of more than a twentieth");
    }
}

#[test]
fn in_a_million_random_steps_every_bound_holds() {
    const SCHEDULES: u64 = 1_000;
    const STEPS: usize = 1_000;
    let mut questions = 0;
    for schedule in 0..SCHEDULES {
        let mut random = Random::new(schedule);
        let number = |below: usize| u32::try_from(below).expect("small");
        let low = number(1 + random.below(10));
        let high = low + number(random.below(100));
        let mut controller = Controller::with(Rules::DEFAULT, low, high, None);
        let mut now = START;
        let mut running: Vec<Member> = Vec::new();
        // So long a call takes about; the steps are as long.
        let pace = 1 + random.below(200);
        let mut watch = Watch {
            floor: controller.limit().div_ceil(2),
            is_asking: false,
            calls: 0,
            has_begun: false,
            members: (0, 0),
        };
        for _ in 0..STEPS {
            let step = Duration::from_millis(u64::from(number(random.below(pace))));
            match random.below(500) {
                0 => now += Duration::from_secs(u64::from(number(random.below(20_000)))),
                1 => now -= Duration::from_secs(u64::from(number(random.below(30)))),
                _ => now += step,
            }
            let before = (controller.limit(), controller.base_time());
            match random.below(20) {
                0..=8 => {
                    watch.calls += 1;
                    let member = controller.begin(now, number(1 + random.below(3)));
                    watch.members.1 += u32::from(watch.is_asking && member.is_some());
                    running.extend(member);
                }
                9..=18 if !running.is_empty() => {
                    let member = running.swap_remove(random.below(running.len()));
                    let outcome = match random.below(40) {
                        0 => Outcome::Overloaded,
                        1 => Outcome::Ignored,
                        _ => Outcome::Good,
                    };
                    controller.end(member, now, outcome);
                }
                19 if random.below(20) == 0 => controller.refuse(),
                _ if random.below(10) == 0 => {
                    let calls = number(random.below(20));
                    watch.calls += calls;
                    controller.pass(calls);
                }
                _ => {}
            }
            assert_eq!((controller.limit(), controller.base_time()), before);
            let is_full = random.below(4) > 0;
            let cause = controller.update(now, number(random.below(120)), is_full);
            questions += u32::from(cause == Some(Cause::Question));
            watch.see(&controller, before, cause);
        }
    }
    assert!(questions > 1_000, "only {questions} questions");
}

#[test]
fn no_input_panics() {
    let extremes = [0, 1, 2, 3, u32::MAX - 1, u32::MAX];
    let times = [Duration::ZERO, START, Duration::MAX, MS, Duration::from_secs(u64::MAX)];
    let mut random = Random::new(7);
    for low in extremes {
        for high in extremes {
            let mut controller = Controller::with(Rules::DEFAULT, low, high, None);
            let mut members = Vec::new();
            for step in 0..3_000 {
                let now = times[random.below(times.len())];
                let number = extremes[random.below(extremes.len())];
                match random.below(if step % 1_000 == 999 { 8 } else { 5 }) {
                    0 | 1 => members.extend(controller.begin(now, number)),
                    2 | 3 => {
                        if let Some(member) = members.pop() {
                            controller.end(member, now, Outcome::Good);
                            controller.end(member, now, Outcome::Overloaded);
                        }
                    }
                    4 => controller.pass(number),
                    5 => controller.refuse(),
                    6 => controller.freeze(number),
                    _ => controller.thaw(),
                }
                controller.update(now, number, random.below(2) == 0);
                let _ = (controller.next_update(), controller.dip(), controller.advice());
                let (low, high) = controller.range();
                assert!(low <= high);
            }
        }
    }
}
