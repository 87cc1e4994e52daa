//! Runs all subjects through all scenarios with all seeds.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::contender::Contender;
use crate::contenders::{Ablation, Algorithm, Favor, Fixed, Ours};
use crate::scenarios::Scenario;
use crate::simulator::{Outcome, Simulation};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Algorithm(Algorithm),
    Ablated(Ablation),
    Favoring(Favor),
    /// Of all limits that stay, the one of the greatest power.
    BestFixed,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Algorithm(algorithm) => algorithm.name(),
            Self::Ablated(ablation) => ablation.name(),
            Self::Favoring(favor) => favor.name(),
            Self::BestFixed => "best fixed limit",
        }
    }
}

/// A subject in a scenario, against the ideal: means over the seeds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Good calls, as a share of the ideal's.
    pub(crate) goodput: f64,
    /// The time of a good call, as a multiple of the ideal's.
    pub(crate) time: f64,
    /// The one divided by the other.
    pub(crate) power: f64,
    pub(crate) fairness: f64,
    /// Seconds: the median. Infinite if it did not settle.
    pub(crate) settled: f64,
}

pub(crate) struct Study {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) subjects: Vec<Subject>,
    /// By scenario, and then by subject.
    pub(crate) figures: Vec<Vec<Figures>>,
}

impl Study {
    pub(crate) fn run(scenarios: Vec<Scenario>, seeds: &[u64], subjects: Vec<Subject>) -> Self {
        let next = AtomicUsize::new(0);
        let figures = Mutex::new(vec![Vec::new(); scenarios.len()]);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(scenario) = scenarios.get(index) else { return };
                        let row = row(scenario, seeds, &subjects);
                        figures.lock().expect("no thread panicked")[index] = row;
                    }
                });
            }
        });
        let figures = figures.into_inner().expect("no thread panicked");
        Self { scenarios, subjects, figures }
    }

    /// Returns the figures of a subject in each scenario.
    pub(crate) fn column(&self, subject: usize) -> impl Iterator<Item = (&Scenario, Figures)> {
        self.scenarios
            .iter()
            .zip(&self.figures)
            .map(move |(scenario, row)| (scenario, row[subject]))
    }
}

fn row(scenario: &Scenario, seeds: &[u64], subjects: &[Subject]) -> Vec<Figures> {
    let ideals: Vec<Outcome> = seeds.iter().map(|seed| ideal(scenario, *seed)).collect();
    let figures = |make: &dyn Fn(u64, usize) -> Box<dyn Contender>| {
        let runs = seeds
            .iter()
            .map(|seed| Simulation::new(scenario, *seed, |limiter| make(*seed, limiter)).run(0));
        mean(runs.zip(&ideals))
    };
    let of = |subject: &Subject| match *subject {
        Subject::Algorithm(algorithm) => {
            figures(&|seed, limiter| algorithm.make(scenario.range, seed, limiter))
        }
        Subject::Ablated(ablation) => figures(&|seed, limiter| {
            Box::new(Ours::new(scenario.range, Some(ablation), seed, limiter))
        }),
        Subject::Favoring(favor) => {
            figures(&|seed, _| Box::new(Ours::favoring(scenario.range, favor, seed)))
        }
        Subject::BestFixed => {
            let best = best_fixed(scenario, seeds[0], &ideals[0]);
            figures(&|_, _| Box::new(Fixed::new(best)))
        }
    };
    subjects.iter().map(of).collect()
}

/// Runs with the limits of somebody who knows the backend at each moment.
pub(crate) fn ideal(scenario: &Scenario, seed: u64) -> Outcome {
    Simulation::new(scenario, seed, |_| Box::new(Fixed::scheduled(scenario.ideal()))).run(0)
}

/// Searches among limits of which each is a tenth or one greater than the one before.
fn best_fixed(scenario: &Scenario, seed: u64, ideal: &Outcome) -> u32 {
    let (low, high) = scenario.range;
    let limits =
        std::iter::successors(Some(low), |limit| Some((limit + limit / 10).max(limit + 1)));
    let power = |limit: u32| {
        let outcome = Simulation::new(scenario, seed, |_| Box::new(Fixed::new(limit))).run(0);
        mean(std::iter::once((outcome, ideal))).power
    };
    let limits = limits.take_while(|limit| *limit <= high.min(200));
    limits
        .map(|limit| (power(limit), limit))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(low, |best| best.1)
}

fn mean<'a>(runs: impl Iterator<Item = (Outcome, &'a Outcome)>) -> Figures {
    let mut sum = Figures::default();
    let mut count = 0.0;
    let mut settled = Vec::new();
    for (run, ideal) in runs {
        let goodput = run.good / ideal.good;
        // Without a good call there is no time.
        let time = if run.good > 0.0 { run.time / ideal.time } else { f64::INFINITY };
        sum.goodput += goodput;
        sum.time += time;
        sum.power += goodput / time;
        sum.fairness += run.fairness;
        settled.push(run.settled.unwrap_or(f64::INFINITY));
        count += 1.0;
    }
    Figures {
        goodput: sum.goodput / count,
        time: sum.time / count,
        power: sum.power / count,
        fairness: sum.fairness / count,
        settled: limit_benches::median(settled),
    }
}
