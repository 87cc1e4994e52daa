//! The same limited calls on asyncio, on Node and on tokio, side by side.
//!
//! `cargo run --release -p limit-benches --bin asyncio` prints two tables and writes them to
//! `asyncio.json` in the target directory. A contender that is not installed is skipped with a
//! message. The exit code is 1 only when a limit was passed or when our own calls could not be
//! made.
#![forbid(unsafe_code)]

mod child;
mod contender;
mod outcome;
mod plan;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use limit_benches::machine::target_directory;

use contender::{Contender, Launch};
use outcome::Outcome;
use plan::Plan;
use report::{Report, Skipped, Table};

/// Makes the same limited calls on asyncio, on Node and on tokio, side by side
#[derive(Debug, Parser)]
struct Arguments {
    /// A twentieth of the calls, and one round: for a first look
    #[arg(long)]
    quick: bool,
    /// How many calls are made at once
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    calls: Option<u32>,
    /// How many of them may run at once
    #[arg(long, value_name = "N", default_value = "100",
        value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    limit: u32,
    /// How many rounds
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    rounds: Option<u32>,
    /// Only this contender, and ours, which the others are held against (repeatable)
    #[arg(long, value_name = "NAME", value_enum)]
    subject: Vec<Contender>,
    /// The Python to use
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
    /// The Node to use
    #[arg(long, value_name = "PROGRAM", default_value = "node")]
    node: String,
    /// The file for the JSON
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// The work of a process of ours
    #[arg(long, hide = true, num_args = 5, value_name = "ARGUMENT")]
    child: Option<Vec<String>>,
}

/// The names of the bodies, and their headings.
const BODIES: [(&str, &str); 2] = [("empty", "Empty body"), ("sleep", "Body that sleeps 1 ms")];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(work) = &arguments.child {
        return match child::run(work) {
            Ok(line) => {
                println!("{line}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    let (calls, rounds) = if arguments.quick { (5_000, 1) } else { (100_000, 3) };
    let plan = Plan {
        calls: arguments.calls.unwrap_or(calls),
        limit: arguments.limit,
        rounds: arguments.rounds.unwrap_or(rounds),
    };
    let target = target_directory();
    let mut skipped = Vec::new();
    let mut launches = launches(&arguments, &target.join("asyncio"), &mut skipped);
    let mut tables = Vec::new();
    for (body, what) in BODIES {
        tables.push(measure(plan, body, what, &mut launches, &mut skipped));
    }
    let report = Report::new(plan, tables, skipped);
    report.print();
    let path = arguments.json.unwrap_or_else(|| target.join("asyncio.json"));
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    if let Err(error) = folder.and_then(|()| std::fs::write(&path, report.json())) {
        eprintln!("cannot write {}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    if report.sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns how to start each selected contender that can be had.
fn launches(
    arguments: &Arguments,
    folder: &Path,
    skipped: &mut Vec<Skipped>,
) -> Vec<(Contender, Launch)> {
    let asked = |contender: &Contender| {
        *contender == Contender::Ours
            || arguments.subject.is_empty()
            || arguments.subject.contains(contender)
    };
    let mut launches = Vec::new();
    for contender in Contender::ALL.into_iter().filter(asked) {
        match contender.launch(&arguments.python, &arguments.node, folder) {
            Ok(launch) => launches.push((contender, launch)),
            Err(why) => skip(skipped, contender, why, false),
        }
    }
    launches
}

/// Runs every contender once a round, each time in a process of its own. Each round starts with
/// another one. A contender that fails is reported and not run again.
fn measure(
    plan: Plan,
    body: &'static str,
    what: &'static str,
    launches: &mut Vec<(Contender, Launch)>,
    skipped: &mut Vec<Skipped>,
) -> Table {
    let mut order: Vec<Contender> = launches.iter().map(|(contender, _)| *contender).collect();
    let mut rows: Vec<(Contender, Vec<Outcome>)> =
        order.iter().map(|contender| (*contender, Vec::new())).collect();
    for round in 1..=plan.rounds {
        eprintln!("{body}: round {round} of {}", plan.rounds);
        for &contender in &order {
            let Some((_, launch)) = launches.iter().find(|(one, _)| *one == contender) else {
                continue;
            };
            match trial(contender, launch, body, plan) {
                Ok(outcome) => {
                    for (_, row) in rows.iter_mut().filter(|(one, _)| *one == contender) {
                        row.push(outcome.clone());
                    }
                }
                Err((why, fatal)) => {
                    skip(skipped, contender, format!("body `{body}`: {why}"), fatal);
                    launches.retain(|(one, _)| *one != contender);
                    rows.retain(|(one, _)| *one != contender);
                }
            }
        }
        if !order.is_empty() {
            order.rotate_left(1);
        }
    }
    Table { body, what, rows }
}

/// Makes one run. If the run does not count, returns the reason, and `true` if that is an error of
/// ours or a limit's.
fn trial(
    contender: Contender,
    launch: &Launch,
    body: &str,
    plan: Plan,
) -> Result<Outcome, (String, bool)> {
    let printed = launch.run(body, plan);
    let outcome = printed.and_then(|printed| Outcome::read(&printed, plan.calls));
    let outcome = outcome.map_err(|why| (why, contender.ours()))?;
    outcome.passed(plan.limit).map_or(Ok(outcome), |why| Err((why, true)))
}

/// Reports a skipped contender at once, and keeps it for the list below the tables.
fn skip(skipped: &mut Vec<Skipped>, contender: Contender, why: String, fatal: bool) {
    let skipping = Skipped { contender, why, fatal };
    eprintln!("{skipping}");
    skipped.push(skipping);
}
