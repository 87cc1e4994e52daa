//! Limits over a fleet of processes: what a call costs, what Redis has to do, and how long calls wait.
//!
//! `cargo run --release -p limit-benches --features fleet --bin fleets` prints tables and writes them to `fleets.json`
//! in the target directory. It starts a Redis server of its own, and itself as the workers of the fleet. The exit
//! code is 1 only when a limit was passed or when something could not be run.
#![forbid(unsafe_code)]

mod admission;
mod calls;
mod crew;
mod hot;
mod job;
mod load;
mod plan;
mod reclaim;
mod report;
mod script;
mod semaphore;
mod server;
mod worker;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use limit_benches::machine::target_directory;

use job::{Contender, Job};
use load::Scenario;
use plan::{Plan, Row};
use report::{Report, Section};
use server::Server;

/// Measures limits over a fleet of processes
#[derive(Debug, Parser)]
struct Arguments {
    /// One short round of everything: for a first look, and for CI
    #[arg(long)]
    quick: bool,
    /// Only this row (repeatable)
    #[arg(long, value_name = "NAME", value_enum)]
    row: Vec<Row>,
    /// Only this contender in the rows that have several (repeatable)
    #[arg(long, value_name = "NAME", value_enum)]
    subject: Vec<Contender>,
    /// How many rounds
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..=100))]
    rounds: Option<u32>,
    /// The file for the JSON
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let work = match Job::of_this_process() {
        Some(job) => job.and_then(|job| worker::run(&job)).map(|()| true),
        None => measure_all(&Arguments::parse()),
    };
    match work {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ERROR: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether every limit held.
fn measure_all(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let Some(mut server) = Server::start()? else {
        eprintln!(
            "SKIPPED: fleets: neither `redis-server` nor `valkey-server` is installed: `apt-get install redis-server`, \
             `dnf install valkey`, or `brew install redis`"
        );
        return Ok(true);
    };
    let plan = Plan::new(arguments.quick, arguments.rounds, arguments.subject.clone());
    let start = Instant::now();
    let mut sections = Vec::new();
    for row in Row::ALL {
        if arguments.row.is_empty() || arguments.row.contains(&row) {
            progress(start.elapsed(), row.name());
            sections.push(measure(&mut server, &plan, row)?);
        }
    }
    let report = Report::new(&plan, server.version()?, sections);
    print!("{}", report.text());
    let path = arguments.json.clone().unwrap_or_else(|| target_directory().join("fleets.json"));
    std::fs::write(&path, report.json())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(report.is_sound())
}

fn measure(server: &mut Server, plan: &Plan, row: Row) -> Result<Section, Box<dyn Error>> {
    match row {
        Row::Uncontended => load::measure(server, plan, &Scenario::uncontended()),
        Row::Contended => load::measure(server, plan, &Scenario::contended()),
        Row::Few => load::measure(server, plan, &Scenario::few()),
        Row::FewSaturated => load::measure(server, plan, &Scenario::few_saturated()),
        Row::Hot => hot::measure(server, plan),
        Row::Reclaim => reclaim::measure(server, plan),
        Row::Script => script::measure(server, plan),
    }
}

/// Says on the error stream what is measured now.
fn progress(after: Duration, what: &str) {
    eprintln!("{:>4} s  {what}", after.as_secs());
}
