//! Programs that hang with a semaphore, each first with one and then with a limiter.
//!
//! ```sh
//! cargo run -p hazards                      # all
//! cargo run -p hazards -- select stream     # some
//! ```
//!
//! Each program is a file in `programs/`. With a semaphore it runs on a paused clock, where an hour passes at once
//! if nothing can go on. With a limiter it runs in real time, because a limiter takes a grant back in real time.
#![forbid(unsafe_code)]

mod hazard;
mod limit;
mod log;
mod outcome;
mod programs;
mod report;

use std::env;
use std::io::ErrorKind;
use std::process::ExitCode;

use limit_runtime::diagnostics;

use crate::hazard::{ALL, Hazard};

fn main() -> ExitCode {
    let names: Vec<_> = env::args().skip(1).collect();
    if names.iter().any(|name| matches!(name.as_str(), "--help" | "-h")) {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = names.iter().find(|name| ALL.iter().all(|known| known.name != *name)) {
        eprint!("there is no hazard `{unknown}`\n\n{}", usage());
        return ExitCode::from(2);
    }
    log::keep();
    diagnostics::record(true);
    // `deadlock` and `refuse` would be warned of before they hang.
    diagnostics::warn_of_order(false);
    let is_chosen =
        |hazard: &&Hazard| names.is_empty() || names.iter().any(|name| name == hazard.name);
    match report::show(ALL.iter().filter(is_chosen)) {
        Ok(true) => ExitCode::SUCCESS,
        // Nobody reads on: `hazards | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("hazards: not all went as promised");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("hazards: cannot print: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let hazards =
        ALL.iter().map(|Hazard { name, situation, .. }| format!("  {name:<10}{situation}\n"));
    format!("{USAGE}{}", hazards.collect::<String>())
}

const USAGE: &str = "usage: hazards [NAME]...

Runs programs that hang with a semaphore, first with one and then with a limiter.

";
