//! Peers side by side: the cost of a limited call, as ratios to the semaphore that one writes by
//! hand.
//!
//! `cargo run --release -p limit-benches` prints the tables and writes them to `target/bench.json`.
//! The exit code is 0 whatever the figures.
#![forbid(unsafe_code)]

mod report;
mod rows;
mod subjects;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use limit_benches::machine::Machine;
use limit_benches::measure::Plan;

use report::Report;
use rows::{Row, Selection, cost, crowd, free, million, policies, shared};
use subjects::{NAMES, refused};

/// Measures the concurrency limits of several crates side by side
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewer and shorter rounds, and a tenth of the million waiters: for a first look
    #[arg(long)]
    quick: bool,
    /// How many rounds
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// How long one contender runs in one round
    #[arg(long, value_name = "MILLISECONDS")]
    turn: Option<u64>,
    /// Only rows whose names begin like this (repeatable)
    #[arg(long, value_name = "NAME")]
    row: Vec<String>,
    /// Only this contender, and the peer where a ratio needs it (repeatable)
    #[arg(long, value_name = "NAME", value_parser = NAMES)]
    subject: Vec<String>,
    /// The file for the JSON
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// The work of a process of the row `crowd`
    #[arg(long, hide = true, num_args = 4, value_name = "ARGUMENT")]
    crowd_child: Option<Vec<String>>,
}

impl Arguments {
    fn selection(&self) -> Selection {
        let (rounds, turn, waiters) =
            if self.quick { (3, 15, 100_000) } else { (21, 50, 1_000_000) };
        Selection {
            plan: Plan {
                rounds: self.rounds.unwrap_or(rounds).max(1),
                turn: Duration::from_millis(self.turn.unwrap_or(turn).max(1)),
            },
            rows: self.row.clone(),
            subjects: self.subject.clone(),
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
    let report = Report {
        machine: Machine::here(),
        plan: selection.plan,
        waiters: selection.waiters,
        rows: all(&selection),
        costs: if selection.row("cost") { cost::costs() } else { Vec::new() },
        notes: notes(&selection),
    };
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

fn all(selection: &Selection) -> Vec<Row> {
    type Measure = fn(&Selection) -> Row;
    let alone: [(&str, Measure); 6] = [
        ("task", free::task),
        ("block_on", free::block_on),
        ("block_on-multi", free::block_on_multi),
        ("contended", shared::contended),
        ("queued", shared::queued),
        ("spawned", shared::spawned),
    ];
    let mut rows: Vec<Row> = alone
        .into_iter()
        .filter(|(name, _)| selection.row(name))
        .map(|(_, measure)| measure(selection))
        .collect();
    if crowd::asked(selection) {
        rows.extend(crowd::rows(selection));
    }
    if million::asked(selection) {
        rows.extend(million::rows(selection));
    }
    rows.extend(policies::rows(selection));
    rows
}

/// Returns the facts that a reader needs to trust the figures. It runs when all rows are done.
fn notes(selection: &Selection) -> Vec<String> {
    let machine = Machine::here();
    let versions: Vec<String> =
        machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut notes = vec![
        format!("{}; tokio's lock: {}", versions.join(", "), machine.tokio_lock),
        "sentinel refuses where the others wait, so it has no figure where calls queue (n/a); its \
         clock is cached, its watch of load, processor and memory off"
            .to_owned(),
        "crowd is ours alone: the others know neither runtimes nor names".to_owned(),
        "every allocation of every contender is counted, which adds a few nanoseconds to each"
            .to_owned(),
    ];
    if refused() > 0 {
        notes.push(format!("sentinel refused {} calls: its figures are too low", refused()));
    }
    if selection.waiters != 1_000_000 {
        notes.push(format!("the long queue had {} waiters, not a million", selection.waiters));
    }
    notes
}
