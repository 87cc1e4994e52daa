//! The limit of limit-runtime: its production code, in virtual time. As in the semaphore, nothing but calls drives it:
//! there is no timer.

use std::time::Duration;

use crate::contender::{Contender, Sample};
use crate::production::controller::{Controller, Member, Outcome};
use crate::production::rules::Rules;

/// A rule that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Ablation {
    /// It never asks: `R0` is the first mean.
    Questions,
    /// Each limiter asks at moments of its own.
    Lattice,
    /// No time is news: all are smoothed.
    Jump,
    /// Each mean counts in full.
    Smoothing,
    /// Times may cut the limit as low as they say.
    Floor,
    /// The first cohort gives `R0`, whatever the second says.
    Start,
    /// The limit may rest at the lowest.
    #[value(name = "2lo")]
    TwiceLowest,
}

impl Ablation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Questions,
        Self::Lattice,
        Self::Jump,
        Self::Smoothing,
        Self::Floor,
        Self::Start,
        Self::TwiceLowest,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Questions => "without questions",
            Self::Lattice => "without the lattice",
            Self::Jump => "without the jump",
            Self::Smoothing => "without smoothing",
            Self::Floor => "without the floor",
            Self::Start => "without the second cohort",
            Self::TwiceLowest => "without 2 · lo",
        }
    }

    fn apply(self, rules: &mut Rules, random: &mut fastrand::Rng) {
        match self {
            Self::Questions => rules.period = u32::MAX,
            Self::Lattice => rules.phase = Duration::from_secs_f64(10.0 * random.f64()),
            Self::Jump => rules.jump = f64::INFINITY,
            Self::Smoothing => rules.weight = 1.0,
            Self::Floor => rules.floor = 0.0,
            Self::Start => rules.chance = f64::NEG_INFINITY,
            Self::TwiceLowest => rules.lowest = 1,
        }
    }
}

/// The values of the option `favor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Favor {
    Latency,
    Throughput,
}

impl Favor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Latency => "favor = latency",
            Self::Throughput => "favor = throughput",
        }
    }

    /// As in `limit-runtime/src/adaptive.rs`.
    fn slack(self) -> f64 {
        match self {
            Self::Latency => 0.5,
            Self::Throughput => 2.0,
        }
    }
}

pub(crate) struct Ours {
    controller: Controller,
    /// When the run began: at another moment of the wall clock for each seed.
    start: Duration,
    /// The members, by the number of the call.
    members: Vec<Option<Member>>,
}

impl Ours {
    pub(crate) fn new(
        (low, high): (u32, u32),
        without: Option<Ablation>,
        seed: u64,
        limiter: usize,
    ) -> Self {
        let mut rules = Rules::DEFAULT;
        if let Some(ablation) = without {
            let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(64) + limiter as u64);
            ablation.apply(&mut rules, &mut random);
        }
        Self::around(Controller::with(rules, low, high, None), seed)
    }

    /// One with an option that says what it favors.
    pub(crate) fn favoring((low, high): (u32, u32), favor: Favor, seed: u64) -> Self {
        let rules = Rules { slack: favor.slack(), ..Rules::DEFAULT };
        Self::around(Controller::with(rules, low, high, None), seed)
    }

    /// One that only advises beside a fixed limit.
    pub(crate) fn advising((low, high): (u32, u32), limit: u32, seed: u64) -> Self {
        Self::around(Controller::advising(Rules::DEFAULT, low, high, limit), seed)
    }

    fn around(controller: Controller, seed: u64) -> Self {
        let offset = fastrand::Rng::with_seed(seed).f64() * 1e3;
        let start = Duration::from_secs(1_800_000_000) + Duration::from_secs_f64(offset);
        Self { controller, start, members: Vec::new() }
    }

    fn at(&self, now: f64) -> Duration {
        self.start + Duration::from_secs_f64(now)
    }

    fn update(&mut self, now: f64, in_flight: u32) {
        let is_full = in_flight >= self.controller.limit();
        self.controller.update(self.at(now), in_flight, is_full);
    }
}

impl Contender for Ours {
    fn limit(&self) -> u32 {
        self.controller.limit()
    }

    fn begin(&mut self, call: usize, now: f64, waited: bool, in_flight: u32) {
        if self.members.len() <= call {
            self.members.resize(call + 1, None);
        }
        // A call that did not wait takes the fast path: it looks at no clock.
        if waited || self.controller.wants_any_call() {
            self.members[call] = self.controller.begin(self.at(now), 1);
            self.update(now, in_flight);
        } else {
            self.members[call] = None;
            self.controller.pass(1);
        }
    }

    fn end(&mut self, call: usize, sample: &Sample) {
        let now = self.at(sample.now);
        if let Some(member) = self.members[call].take() {
            let outcome = if sample.is_good { Outcome::Good } else { Outcome::Overloaded };
            self.controller.end(member, now, outcome);
            let is_full = sample.was_full;
            self.controller.update(now, sample.left + u32::from(is_full), is_full);
        }
    }

    fn refuse(&mut self, now: f64, in_flight: u32) {
        self.controller.refuse();
        // As the semaphore does: only a question may be over.
        if self.controller.dip() > 0 {
            self.update(now, in_flight);
        }
    }

    fn dip(&self) -> u32 {
        self.controller.dip()
    }

    fn advice(&self) -> Option<u32> {
        self.controller.advice()
    }
}
