//! Other processes of this program, for whole runs and for rows that want a process of their own.

use std::error::Error;
use std::process::{Command, Stdio};

use crate::report::Run;

/// The argument of a process that measures everything once and prints JSON.
pub(crate) const AS_RUN: &str = "as-run";
/// The argument of a process that does so with one row.
pub(crate) const ALONE: &str = "alone";

/// Runs this program so many times. Each run has a process of its own, so that no single layout of memory decides.
pub(crate) fn runs(count: u32) -> Result<Vec<Run>, Box<dyn Error>> {
    (1..=count)
        .map(|number| {
            eprintln!("run {number} of {count}");
            run(&[&format!("--{AS_RUN}")])
        })
        .collect()
}

/// Measures one row in a process of its own.
pub(crate) fn alone(row: &str) -> Run {
    run(&[&format!("--{ALONE}"), row]).unwrap_or_else(|error| {
        eprintln!("{row}: {error}");
        Run::default()
    })
}

/// Runs this program with its own arguments and some more, and returns what it has measured.
fn run(more: &[&str]) -> Result<Run, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .args(more)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the process ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
