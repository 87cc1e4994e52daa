//! A soak: for minutes, several threads use limiters at random, as programs do and worse. The
//! number of permits out must never exceed the limit, no call may hang, nothing may be lost, and
//! memory must not grow.
//!
//! ```sh
//! cargo run --release -p limit-benches --bin soak -- --minutes 10
//! cargo run --release -p limit-benches --bin soak -- --seconds 30 --seed 7
//! cargo run --release -p limit-benches --bin soak -- --seconds 60 --only bursts --only readings
//! ```
//!
//! `--minutes M` and `--seconds S` set the length (default: a minute). `--seed N` repeats the
//! random choices of another run, but not how its threads interleave. `--only NAME` (repeatable)
//! plays some scenarios and no others. `--patience S` sets for how long no call may end before that
//! is called a hang (default: 10 s). The feature `task` adds the scenario `pools`.
//!
//! The soak prints a line every ten seconds, and a summary at the end. The exit code is 0 if no
//! fault was found. A fault is printed when it is found, with the limiter, its calls and the seed.
//! The soak ends with the round of the first fault.
//!
//! The soak uses the public API alone. A new scenario goes into `scenarios`, which says how.
//! `stage` holds the state of a round, `ledger` checks the cap, `account` counts calls, `quiet`
//! checks limiters between rounds, and `memory` compares memory.
#![forbid(unsafe_code)]

mod account;
mod call;
mod ledger;
mod limiter;
mod memory;
mod provoked;
mod quiet;
mod random;
mod request;
mod round;
mod scenarios;
mod score;
mod spec;
mod stage;
mod subject;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use memory::{Bytes, Memory, Sample};
use random::Random;
use round::{Hung, Rules};
use score::{Fault, fault, faults};
use std::process;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Uses limiters at random for a while, and finds out whether they stay whole
#[derive(Debug, Parser)]
#[command(after_help = scenario_list())]
struct Arguments {
    /// For how long, in minutes
    #[arg(long, value_name = "M", conflicts_with = "seconds")]
    minutes: Option<u64>,
    /// For how long, in seconds [default: 60]
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// The seed of all random choices [default: another one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// For how many seconds nothing may end
    #[arg(long, value_name = "S", default_value = "10")]
    patience: u64,
    /// Only this scenario, in every round (repeatable)
    #[arg(long, value_name = "NAME", value_parser = scenario_names())]
    only: Vec<String>,
}

fn scenario_names() -> PossibleValuesParser {
    PossibleValuesParser::new(scenarios::ALL.iter().map(|scenario| scenario.name))
}

fn scenario_list() -> String {
    let scenarios = scenarios::ALL.iter();
    let lines = scenarios.map(|scenario| format!("\n  {:10} {}", scenario.name, scenario.about));
    format!("Scenarios:{}", lines.collect::<String>())
}

/// The time between two lines of output.
const EVERY: Duration = Duration::from_secs(10);

fn main() {
    let arguments = Arguments::parse();
    let seconds = arguments.minutes.map_or(arguments.seconds.unwrap_or(60), |minutes| minutes * 60);
    let length = Duration::from_secs(seconds);
    let seed = arguments.seed.unwrap_or_else(from_the_clock);
    let patience = Duration::from_secs(arguments.patience);
    let rules = Rules { seed, patience, only: arguments.only };
    provoked::install_hook();
    println!("{seconds} seconds, seed {seed}");

    let start = Instant::now();
    let mut memory = Memory::new(length / 2);
    let (hung, rounds) = soak(&rules, length, start, &mut memory);
    let verdict = memory.verdict();
    if let (Err(grown), Ok(())) = (&verdict, &hung) {
        fault(Fault::Memory, grown);
    }
    println!(
        "{rounds} rounds, {} calls, seed {seed}: {} over the cap, {} hangs, {} lost, {} unexpected \
         panics, {}",
        score::calls(),
        Fault::OverTheCap.count(),
        Fault::Hang.count(),
        Fault::Lost.count(),
        Fault::Panic.count(),
        verdict.unwrap_or_else(|grown| grown),
    );
    // Returning would wait for threads that hang.
    process::exit(i32::from(faults() > 0));
}

/// Plays rounds until the time is over or a fault is found. Returns the number of rounds.
fn soak(
    rules: &Rules,
    length: Duration,
    start: Instant,
    memory: &mut Memory,
) -> (Result<(), Hung>, u64) {
    let mut random = Random::new(rules.seed);
    let (mut lines, mut rounds) = (Lines::new(start), 0);
    while start.elapsed() < length && faults() == 0 {
        rounds += 1;
        if let Err(hung) = round::play(rules, rounds, random.fork()) {
            return (Err(hung), rounds);
        }
        let sample = memory.sample(start.elapsed());
        lines.print_if_due(sample);
    }
    (Ok(()), rounds)
}

/// The lines of output while the soak runs.
struct Lines {
    start: Instant,
    last: Instant,
    calls: u64,
}

impl Lines {
    fn new(start: Instant) -> Self {
        Self { start, last: start, calls: 0 }
    }

    #[expect(clippy::cast_precision_loss, reason = "whole numbers are shown")]
    fn print_if_due(&mut self, sample: Sample) {
        let since = self.last.elapsed();
        if since < EVERY {
            return;
        }
        let calls = score::calls();
        let a_second = (calls - self.calls) as f64 / since.as_secs_f64();
        let resident = sample
            .resident
            .map_or_else(String::new, |resident| format!(", {} resident", Bytes(resident)));
        println!(
            "{:>5} s  {calls:>10} calls  {a_second:>8.0}/s  over the cap {}  hangs {}  lost {}  \
             memory {} allocated{resident}",
            self.start.elapsed().as_secs(),
            Fault::OverTheCap.count(),
            Fault::Hang.count(),
            Fault::Lost.count(),
            Bytes(sample.allocated),
        );
        (self.last, self.calls) = (Instant::now(), calls);
    }
}

fn from_the_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Random::new(since.subsec_nanos().into()).next() % 1_000_000
}
