//! Each rule of the controller, and what holds whatever happens.

mod cohorts;
mod limits;
mod questions;
mod schedules;

use std::time::Duration;

use crate::adaptive::controller::{Cause, Controller, Member, Outcome};
use crate::adaptive::rules::Rules;

/// Between two moments of questions.
const START: Duration = Duration::from_secs(1_800_000_000);
const MS: Duration = Duration::from_millis(1);

/// A controller with its clock, whose limit is full always.
struct Bench {
    controller: Controller,
    now: Duration,
}

impl Bench {
    fn new(low: u32, high: u32, start: u32) -> Self {
        Self { controller: Controller::with(Rules::DEFAULT, low, high, Some(start)), now: START }
    }

    fn limit(&self) -> u32 {
        self.controller.limit()
    }

    fn update(&mut self) -> Option<Cause> {
        let limit = self.controller.limit();
        self.controller.update(self.now, limit, true)
    }

    /// Begins a cohort's calls.
    fn fill(&mut self) -> Vec<Member> {
        let mut members = Vec::new();
        while self.controller.wants_member() {
            members.extend(self.controller.begin(self.now, 1));
        }
        members
    }

    /// Lets a cohort run whose calls all take `time`. The first `bad` are overloaded.
    fn cohort(&mut self, time: Duration, bad: usize) -> Option<Cause> {
        let members = self.fill();
        self.now += time;
        for (index, member) in members.into_iter().enumerate() {
            let outcome = if index < bad { Outcome::Overloaded } else { Outcome::Good };
            self.controller.end(member, self.now, outcome);
        }
        self.update()
    }

    /// Waits for the next moment of a question.
    fn ask(&mut self) -> Option<Cause> {
        self.update();
        let at = self.controller.next_update().expect("the limit is full, and a time is known");
        self.now = at;
        self.update()
    }

    /// Asks, and answers that a call takes `base` at half of the limit.
    fn question(&mut self, base: Duration) {
        assert_eq!(self.ask(), Some(Cause::Question));
        assert_eq!(self.cohort(base, 0), Some(Cause::Answer));
    }
}
