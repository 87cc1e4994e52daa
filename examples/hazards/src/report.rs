//! The report on a program: a block of lines, in colour if it goes to a terminal.

use std::env;
use std::io::{self, IsTerminal};

use anyhow::Result;

use crate::hazard::Hazard;

/// Runs a program with a semaphore and with a limiter, and prints what happens. Returns whether all is as promised.
pub(crate) fn show(hazard: &Hazard) -> bool {
    let style = Style::new();
    println!("{}", style.with(BOLD, hazard.name));
    println!("  {}", hazard.situation);
    let semaphore = (hazard.with_semaphore)();
    style.print("semaphore:", RED, &semaphore);
    let limiter = (hazard.with_limiter)();
    style.print("limiter:", GREEN, &limiter);
    println!();
    semaphore.is_ok() && limiter.is_ok()
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

    /// Prints what became of a program. The first line is in colour.
    fn print(&self, limit: &str, colour: u8, outcome: &Result<String>) {
        let (colour, text) = match outcome {
            Ok(text) => (colour, text.clone()),
            Err(error) => (RED, format!("not as promised: {error:#}")),
        };
        let mut lines = text.lines();
        println!("  {limit:<10} {}", self.with(colour, lines.next().unwrap_or_default()));
        for line in lines {
            println!("{:13}{line}", "");
        }
    }

    fn with(&self, code: u8, text: &str) -> String {
        if self.has_colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
