//! One limiter among a thousand, in one runtime among 64, against one limiter in one runtime.
//!
//! A process cannot be both crowded and empty. So two processes of this program, one of each kind,
//! stand beside each other and take turns. Every few rounds new ones replace them, so that no
//! single layout of memory decides.

mod child;

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::{Cell, Row, Selection};
use crate::subjects::OURS;
use limit_benches::measure::Series;

pub(crate) use child::child;

/// The numbers of limiters and runtimes of a crowd.
const CROWD: [u32; 2] = [1_000, 64];
const ALONE: [u32; 2] = [1, 1];

/// The number of rounds after which new processes replace the two.
const REPLACED: u32 = 3;

const ONE: &str = "crowd";
const CYCLE: &str = "crowd-cycle";

/// Measures the selected rows of the two.
pub(crate) fn rows(selection: &Selection) -> Vec<Row> {
    let mut rows = [
        (ONE, "permit free in a task: 1,000 limiters, 64 runtimes, against one of each"),
        (CYCLE, "the same, each call to the next of the 1,000 (the processor's caches count)"),
    ]
    .map(|(name, what)| Row::new(name, what, Vec::new()));
    if !rows.iter().any(|row| selection.row(&row.name)) {
        return Vec::new();
    }
    for subject in OURS.into_iter().filter(|subject| selection.subject(subject)) {
        eprintln!("crowd: {subject}");
        match side_by_side(selection, subject) {
            Ok([crowd, alone]) => {
                for ((row, crowd), alone) in rows.iter_mut().zip(&crowd).zip(&alone) {
                    row.cells.push(Cell::timed(crowd, alone));
                }
            }
            Err(error) => eprintln!("crowd: {subject}: {error}"),
        }
    }
    // The attribute makes one limiter for each function, so it has no thousand of them to go round.
    rows[1].cells.retain(|cell| cell.subject == "acquire");
    rows.into_iter().filter(|row| selection.row(&row.name)).collect()
}

/// Measures both rows, in the crowd and alone.
fn side_by_side(
    selection: &Selection,
    subject: &'static str,
) -> Result<[[Series; 2]; 2], Box<dyn Error>> {
    let empty = || Series { name: subject, nanos: Vec::new() };
    let mut series = [[empty(), empty()], [empty(), empty()]];
    let plan = selection.plan;
    let mut round = 0;
    while round < plan.rounds {
        let start = |size| Process::start(subject, size, plan.turn);
        let mut processes = [start(CROWD)?, start(ALONE)?];
        for _ in 0..REPLACED.min(plan.rounds - round) {
            let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
            for index in order {
                for (series, nanos) in series[index].iter_mut().zip(processes[index].turn()?) {
                    series.nanos.push(nanos);
                }
            }
            round += 1;
        }
        for process in processes {
            process.end()?;
        }
    }
    Ok(series)
}

/// Another process of this program, which runs [`child()`]. It takes one turn for each line that it
/// reads, and prints one line with its figures.
struct Process {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    fn start(subject: &str, size: [u32; 2], turn: Duration) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--crowd-child", subject])
            .args(size.map(|number| number.to_string()))
            .arg(turn.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ask = child.stdin.take().ok_or("no standard input")?;
        let answers = child.stdout.take().ok_or("no standard output")?;
        let mut process = Self { child, ask, answers: BufReader::new(answers) };
        // The first turn warms the process up, before the other one needs the processor.
        process.turn()?;
        Ok(process)
    }

    /// Returns the nanoseconds of one call: to one limiter, and to each in turn.
    fn turn(&mut self) -> Result<[f64; 2], Box<dyn Error>> {
        self.ask.write_all(b"\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let (one, cycle) = line.trim().split_once(' ').ok_or("the process has ended")?;
        Ok([one.parse()?, cycle.parse()?])
    }

    fn end(mut self) -> Result<(), Box<dyn Error>> {
        drop(self.ask);
        self.child.wait()?;
        Ok(())
    }
}
