//! The report on the programs: a block of lines for each, in colour if it goes to a terminal.

use std::env;
use std::io::{self, IsTerminal, Write};

use anyhow::Result;

use crate::hazard::Hazard;
use crate::outcome::Outcome;

const MORE: &str = "\
Read more in limit-runtime/src/guide/hazards.rs, or at
https://docs.rs/limit-runtime/latest/limit_runtime/guide/hazards/";

/// Runs each program with a semaphore and with a limiter, and prints what happens. Returns whether all is as promised.
pub(crate) fn show<'a>(hazards: impl Iterator<Item = &'a Hazard>) -> io::Result<bool> {
    let style = Style::new();
    let mut is_promised = true;
    for hazard in hazards {
        is_promised &= style.show(hazard)?;
    }
    writeln!(io::stdout(), "{MORE}")?;
    Ok(is_promised)
}

const BOLD: u8 = 1;
const RED: u8 = 31;
const GREEN: u8 = 32;

struct Style {
    has_colour: bool,
}

impl Style {
    fn new() -> Self {
        Self { has_colour: io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none() }
    }

    fn show(&self, hazard: &Hazard) -> io::Result<bool> {
        let mut out = io::stdout();
        writeln!(out, "{}\n  {}", self.with(BOLD, hazard.name), hazard.situation)?;
        let semaphore = (hazard.with_semaphore)();
        self.print("semaphore:", &semaphore)?;
        let limiter = (hazard.with_limiter)();
        self.print("limiter:", &limiter)?;
        writeln!(out, "  {:<10} {}\n", "fix:", hazard.fix)?;
        Ok(semaphore.is_ok() && limiter.is_ok())
    }

    /// Prints what became of a program. The first line is in colour.
    fn print(&self, limit: &str, outcome: &Result<Outcome>) -> io::Result<()> {
        let (is_good, text) = match outcome {
            Ok(Outcome { is_good, text }) => (*is_good, text.clone()),
            Err(error) => (false, format!("not as promised: {error:#}")),
        };
        let colour = if is_good { GREEN } else { RED };
        let mut out = io::stdout();
        let mut lines = text.lines();
        writeln!(out, "  {limit:<10} {}", self.with(colour, lines.next().unwrap_or_default()))?;
        for line in lines {
            writeln!(out, "{:13}{line}", "")?;
        }
        Ok(())
    }

    fn with(&self, code: u8, text: &str) -> String {
        if self.has_colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
