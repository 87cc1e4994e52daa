//! Limits that find themselves, side by side: known algorithms and limit-runtime's, before simulated
//! backends, in virtual time.
//!
//! `cargo run --release -p limit-benches --bin adaptive` prints the tables of BENCHMARKS.md. Each run
//! of the same seeds gives the same figures on each machine. `--pictures` draws what the limit did.
#![forbid(unsafe_code)]

mod advice;
mod catalogue;
mod contender;
mod contenders;
mod number;
mod picture;
mod production;
mod report;
mod scenarios;
mod simulator;
mod study;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use contenders::{Ablation, Algorithm, Favor, Ours};
use scenarios::Scenario;
use simulator::Simulation;
use study::{Study, Subject};

/// Compares algorithms that choose a concurrency limit, in virtual time
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Arguments {
    /// One seed, or two to check: for a first look, and for CI
    #[arg(long)]
    quick: bool,
    /// The seeds [default: 86..=95]. Constants were chosen with others: 1 to 85
    #[arg(long, value_name = "A..=B", value_parser = seeds)]
    seeds: Option<(u64, u64)>,
    /// Only this scenario (repeatable)
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// Only this algorithm (repeatable)
    #[arg(long, value_name = "NAME", value_enum)]
    algorithm: Vec<Algorithm>,
    /// limit-runtime's algorithm without this rule beside it, and no other (repeatable)
    #[arg(long, value_name = "RULE", value_enum)]
    ablate: Vec<Ablation>,
    /// limit-runtime's algorithm without each of its rules
    #[arg(long)]
    ablate_all: bool,
    /// limit-runtime's algorithm beside itself with this option (repeatable)
    #[arg(long, value_name = "WHAT", value_enum)]
    favor: Vec<Favor>,
    /// Print the advice of `adapt = advise`, and how wrong it is
    #[arg(long)]
    advise: bool,
    /// Fail unless limit-runtime's algorithm reaches its thresholds
    #[arg(long)]
    check: bool,
    /// Draw a picture of each scenario into this folder
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ERROR: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let scenarios = chosen(&arguments.scenario)?;
    if let Some(folder) = &arguments.pictures {
        draw(&scenarios, folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.advise {
        print!("{}", advice::text());
        return Ok(ExitCode::SUCCESS);
    }
    let (first, last) = arguments.seeds.unwrap_or(match (arguments.quick, arguments.check) {
        (true, false) => (86, 86),
        // A single run says little of work that comes twice a second.
        (true, true) => (86, 87),
        (false, _) => (86, 95),
    });
    let subjects = subjects(arguments);
    let study = Study::run(scenarios, &(first..=last).collect::<Vec<_>>(), subjects);
    print!("{}", report::text(&study));
    if arguments.check {
        let missed = report::missed(&study);
        for line in &missed {
            eprintln!("MISSED: {line}");
        }
        return Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    Ok(ExitCode::SUCCESS)
}

fn subjects(arguments: &Arguments) -> Vec<Subject> {
    if arguments.check {
        return vec![Subject::Algorithm(Algorithm::Ours)];
    }
    if arguments.ablate_all || !arguments.ablate.is_empty() {
        let rules = Ablation::ALL.into_iter();
        let rules = rules.filter(|rule| arguments.ablate_all || arguments.ablate.contains(rule));
        return std::iter::once(Subject::Algorithm(Algorithm::Ours))
            .chain(rules.map(Subject::Ablated))
            .collect();
    }
    if !arguments.favor.is_empty() {
        let favored = arguments.favor.iter().map(|favor| Subject::Favoring(*favor));
        return std::iter::once(Subject::Algorithm(Algorithm::Ours)).chain(favored).collect();
    }
    let algorithms = Algorithm::ALL.into_iter();
    let chosen =
        |name: &Algorithm| arguments.algorithm.is_empty() || arguments.algorithm.contains(name);
    algorithms.filter(chosen).map(Subject::Algorithm).chain([Subject::BestFixed]).collect()
}

fn chosen(names: &[String]) -> Result<Vec<Scenario>, String> {
    let all = catalogue::all();
    if names.is_empty() {
        return Ok(all);
    }
    let known: Vec<&str> = all.iter().map(|scenario| scenario.name).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no scenario {name:?}; there are {}", known.join(", ")));
    }
    Ok(all.into_iter().filter(|scenario| names.iter().any(|name| name == scenario.name)).collect())
}

fn draw(scenarios: &[Scenario], folder: &Path) -> Result<(), String> {
    let failed = |path: &Path, error| format!("cannot write {}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    for scenario in scenarios {
        let make = |limiter| -> Box<dyn contender::Contender> {
            Box::new(Ours::new(scenario.range, None, 46, limiter))
        };
        let outcome = Simulation::new(scenario, 46, make).run(picture::POINTS);
        let path = folder
            .join(format!("{}.svg", scenario.name.replace([' ', '%'], "-").trim_end_matches('-')));
        std::fs::write(&path, picture::draw(scenario, &outcome.points))
            .map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Parses `A..=B`, or one seed.
fn seeds(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once("..=").unwrap_or((text, text));
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number"));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        Err("the first is greater than the last".to_owned())
    } else {
        Ok((first, last))
    }
}
