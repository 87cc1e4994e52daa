//! Measurements in turns: every contestant runs once in each round.

use std::time::{Duration, Instant};

use crate::median;

/// The length of a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The number of times that each contestant runs. The report shows the median.
    pub rounds: u32,
    /// The time that one contestant runs in one round, approximately.
    pub turn: Duration,
}

impl std::fmt::Debug for Contestant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contestant").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A closure that makes a number of calls and returns how long they took.
pub struct Contestant<'a> {
    /// The name in the table.
    pub name: &'static str,
    /// `true` if its calls wait when no permit is free.
    pub queues: bool,
    run: Box<dyn FnMut(u32) -> Duration + 'a>,
}

impl<'a> Contestant<'a> {
    /// Makes a contestant. `run` makes a number of calls and returns how long they took.
    pub fn new(name: &'static str, queues: bool, run: impl FnMut(u32) -> Duration + 'a) -> Self {
        Self { name, queues, run: Box::new(run) }
    }
}

/// The nanoseconds that one contestant took for one call, round by round.
#[derive(Clone, Debug)]
pub struct Series {
    /// The contestant's name.
    pub name: &'static str,
    /// The nanoseconds of each round.
    pub nanos: Vec<f64>,
}

impl Series {
    /// Returns the median of the rounds.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(self.nanos.clone())
    }

    /// Returns the ratios of each round, from the lowest to the highest.
    #[must_use]
    pub fn ratios_to(&self, base: &Series) -> Vec<f64> {
        let mut ratios: Vec<f64> =
            self.nanos.iter().zip(&base.nanos).map(|(own, base)| own / base).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }
}

/// Returns how long the closure takes.
pub fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Returns the nanoseconds of one call, from the time of all.
#[must_use]
pub fn nanos_each(took: Duration, calls: u32) -> f64 {
    took.as_secs_f64() * 1e9 / f64::from(calls)
}

/// Returns the number of calls that take about `turn`. The search for it warms the contestant up.
pub fn calibrate(turn: Duration, run: &mut dyn FnMut(u32) -> Duration) -> u32 {
    let mut calls = 16;
    loop {
        let mut took = run(calls);
        if took >= turn / 4 {
            // Once more, because an interruption can make a few calls look like many.
            took = took.min(run(calls));
        }
        if took >= turn / 4 || calls >= u32::MAX / 4 {
            // The estimate is the measured cost of a call, times the calls that fit into a turn.
            let fits = turn.as_secs_f64() / took.as_secs_f64() * f64::from(calls);
            return whole(fits);
        }
        calls *= 2;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u32 first, and a fraction of a call is no call"
)]
fn whole(calls: f64) -> u32 {
    calls.clamp(1.0, f64::from(u32::MAX)) as u32
}

/// Runs every contestant once a round. Each round starts with another one.
pub fn compare(plan: Plan, contestants: &mut [Contestant<'_>]) -> Vec<Series> {
    let calls: Vec<u32> =
        contestants.iter_mut().map(|one| calibrate(plan.turn, &mut one.run)).collect();
    in_turns(plan.rounds, &calls, contestants)
}

/// Does the same with a fixed number of calls.
pub fn compare_calls(rounds: u32, calls: u32, contestants: &mut [Contestant<'_>]) -> Vec<Series> {
    for contestant in &mut *contestants {
        // This warms the contestant up.
        (contestant.run)(calls);
    }
    in_turns(rounds, &vec![calls; contestants.len()], contestants)
}

fn in_turns(rounds: u32, calls: &[u32], contestants: &mut [Contestant<'_>]) -> Vec<Series> {
    let mut series: Vec<Series> =
        contestants.iter().map(|one| Series { name: one.name, nanos: Vec::new() }).collect();
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    for _ in 0..rounds {
        for &index in &order {
            let took = (contestants[index].run)(calls[index]);
            series[index].nanos.push(nanos_each(took, calls[index]));
        }
        if !order.is_empty() {
            order.rotate_left(1);
        }
    }
    series
}
