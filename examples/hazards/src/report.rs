//! The report on a program: a block of lines, in colour if it goes to a terminal.

use std::env;
use std::io::{self, IsTerminal};

use anyhow::Result;

use crate::hazard::Hazard;
use crate::outcome::hangs;

/// Runs a program with a semaphore and with a limiter, and prints what happens. Returns whether all is as promised.
pub(crate) fn show(hazard: &Hazard) -> Result<bool> {
    let style = Style::new();
    println!("{}", style.bold(hazard.name));
    println!("  {}", hazard.situation);
    let hangs = hangs((hazard.with_semaphore)())?;
    let outcome = (hazard.with_limiter)();
    if hangs {
        style.line("semaphore", RED, "hangs");
    } else {
        style.line("semaphore", RED, "does not hang, but should");
    }
    match &outcome {
        Ok(text) => style.line("limiter", GREEN, text),
        Err(error) => style.line("limiter", RED, &format!("{error:#}")),
    }
    println!();
    Ok(hangs && outcome.is_ok())
}

const RED: u8 = 31;
const GREEN: u8 = 32;

struct Style {
    has_colour: bool,
}

impl Style {
    fn new() -> Self {
        Self { has_colour: io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none() }
    }

    fn bold(&self, text: &str) -> String {
        self.with(1, text)
    }

    /// Prints what became of a program. The first line of the text is in colour.
    fn line(&self, limit: &str, colour: u8, text: &str) {
        let mut lines = text.lines();
        let first = self.with(colour, lines.next().unwrap_or_default());
        println!("  {:<11}{first}", format!("{limit}:"));
        for line in lines {
            println!("{:13}{line}", "");
        }
    }

    fn with(&self, code: u8, text: &str) -> String {
        if self.has_colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
