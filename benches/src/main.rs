//! Peers side by side: the cost of a limited call, as ratios to the semaphore that one writes by
//! hand.
//!
//! `cargo run --release -p limit-benches` prints the tables and writes them to `target/bench.json`.
//! `--runs 5` measures the whole table five times and prints the figures in the middle with their spread.
//! The exit code is 0 whatever the figures.
#![forbid(unsafe_code)]

mod order;
mod processes;
mod report;
mod rows;
mod subjects;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use limit_benches::machine::Machine;
use limit_benches::measure::Plan;
use limit_benches::processors::Processors;

use report::{Report, Run};
use rows::{Selection, bytes, cost, crowd};
use subjects::{NAMES, refused};

/// Measures the concurrency limits of several crates side by side
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewer and shorter rounds, and a tenth of the waiters: for a first look
    #[arg(long)]
    quick: bool,
    /// How many rounds
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// How long one contender runs in one round
    #[arg(long, value_name = "MILLISECONDS")]
    turn: Option<u64>,
    /// How often the whole table is measured, each time in a new process; the middle figure counts
    #[arg(long, value_name = "N", default_value_t = 1)]
    runs: u32,
    /// Only rows whose names begin like this (repeatable)
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// No rows whose names begin like this (repeatable)
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// Only this contender, and the peers that a bar needs (repeatable)
    #[arg(long, value_name = "NAME", value_parser = NAMES)]
    subject: Vec<String>,
    /// Where rows run whose tasks call at once
    #[arg(long, value_name = "WHICH", default_value = "both")]
    processors: OnProcessors,
    /// The file for the JSON
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// One of several runs, which prints its JSON
    #[arg(long = processes::AS_RUN, hide = true)]
    as_run: bool,
    /// The only row of this process, which prints its JSON
    #[arg(long = processes::ALONE, hide = true, value_name = "NAME")]
    alone: Option<String>,
    /// The work of a process of the row `crowd`
    #[arg(long, hide = true, num_args = 4, value_name = "ARGUMENT")]
    crowd_child: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OnProcessors {
    /// On all that the process has
    All,
    /// On one of them
    One,
    /// On all, and then on one
    Both,
}

impl Arguments {
    fn selection(&self) -> Selection {
        let (rounds, turn, waiters) =
            if self.quick { (3, 10, 100_000) } else { (21, 50, 1_000_000) };
        Selection {
            plan: Plan {
                rounds: self.rounds.unwrap_or(rounds).max(1),
                turn: Duration::from_millis(self.turn.unwrap_or(turn).max(1)),
            },
            rows: self.alone.clone().map_or_else(|| self.row.clone(), |row| vec![row]),
            alone: self.alone.is_some(),
            skipped: self.skip.clone(),
            subjects: self.subject.clone(),
            processors: match self.processors {
                OnProcessors::All => &[Processors::All],
                OnProcessors::One => &[Processors::One],
                OnProcessors::Both => &[Processors::All, Processors::One],
            },
            waiters,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(crowd_child) = &arguments.crowd_child {
        crowd::child(crowd_child);
        return ExitCode::SUCCESS;
    }
    let selection = arguments.selection();
    if arguments.as_run || selection.alone {
        println!("{}", serde_json::json!(run(&selection)));
        return ExitCode::SUCCESS;
    }
    let runs = match arguments.runs {
        0 | 1 => vec![run(&selection)],
        runs => match processes::runs(runs) {
            Ok(runs) => runs,
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        },
    };
    let (plan, waiters) = (selection.plan, selection.waiters);
    let report = Report { machine: Machine::here(), plan, waiters, runs };
    report.print();
    let path = arguments.json.unwrap_or_else(|| {
        [env!("CARGO_MANIFEST_DIR"), "..", "target", "bench.json"].iter().collect()
    });
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    if let Err(error) = folder.and_then(|()| std::fs::write(&path, report.json())) {
        eprintln!("cannot write {}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Measures all that is selected, once.
fn run(selection: &Selection) -> Run {
    let start = Instant::now();
    let bytes = match (selection.row(bytes::NAME), selection.alone) {
        (false, _) => Vec::new(),
        (true, false) => processes::alone(bytes::NAME).bytes,
        (true, true) => bytes::all(),
    };
    let rows = order::all(selection);
    let costs = if selection.row("cost") { cost::costs() } else { Vec::new() };
    let seconds = start.elapsed().as_secs_f64();
    Run { rows, costs, bytes, notes: notes(selection), seconds }
}

/// Returns the facts that a reader needs to trust the figures. It runs when all rows are done.
fn notes(selection: &Selection) -> Vec<String> {
    let machine = Machine::here();
    let versions: Vec<String> =
        machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut notes = vec![
        format!("{}; tokio's lock: {}", versions.join(", "), machine.tokio_lock),
        "the best peer is the fastest of tokio, mea, async-lock and tower in the same run".to_owned(),
        format!(
            "all processors are {}, whatever the number of workers; one is one of them, to which the \
             threads of that row are pinned",
            machine.cores
        ),
        "a call of async-lock may overtake those that queue; calls of the others come in their order"
            .to_owned(),
        "sentinel refuses where the others wait, so it is no best peer and has no figure where calls queue"
            .to_owned(),
        "sentinel's clock is cached, its watch of load, processor and memory off".to_owned(),
        "bare is no contender but the floor: as fair, with permits for each runtime, and nothing else (no \
         cancellation, figures, names or changes; no table of keys that wait)"
            .to_owned(),
        "crowd is ours alone: the others know neither runtimes nor names".to_owned(),
        "every allocation of every contender is counted, which adds a few nanoseconds to each"
            .to_owned(),
    ];
    let pinned = selection.processors.contains(&Processors::One);
    if pinned && Processors::One.run(|| ()).is_none() {
        notes.push(
            "threads cannot be pinned here, so there are no rows on one processor".to_owned(),
        );
    }
    if refused() > 0 {
        notes.push(format!("sentinel refused {} calls: its figures are too low", refused()));
    }
    if selection.waiters != 1_000_000 {
        notes.push(format!("the long queue had {} waiters, not a million", selection.waiters));
    }
    notes
}
