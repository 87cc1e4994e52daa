//! The report as aligned text.

use std::fmt::Write as _;

use super::bars::{Line, lines};
use super::contents::Report;
use super::tables;

impl Report {
    /// Prints the tables.
    pub(crate) fn print(&self) {
        print!("{}", render(self));
    }
}

/// Returns all tables and the footnotes.
fn render(report: &Report) -> String {
    let mut out = String::new();
    let machine = &report.machine;
    let _ = writeln!(
        out,
        "\n{}, {} cores, {}, {}; {} rounds of about {} ms",
        machine.processor,
        machine.cores,
        machine.system,
        machine.date,
        report.plan.rounds,
        report.plan.turn.as_millis(),
    );
    if report.runs.len() > 1 {
        let runs = report.runs.len();
        let _ =
            writeln!(out, "{runs} runs of the whole table; the middle one counts; spread shown");
    }
    let lines = lines(report);
    if !lines.is_empty() {
        tables::bars(&mut out, report, &lines);
        missed(&mut out, &lines);
        tables::ratios(&mut out, report);
        tables::nanoseconds(&mut out, report);
    }
    tables::costs(&mut out, &report.runs[0].costs);
    tables::bytes(&mut out, &report.runs[0].bytes);
    out.push('\n');
    notes(&mut out, report);
    out
}

/// Adds the list of bars that are missed.
fn missed(out: &mut String, lines: &[Line<'_>]) {
    let verdicts = || lines.iter().flat_map(|line| &line.verdicts);
    let met = verdicts().filter(|verdict| verdict.met == Some(true)).count();
    let missed = verdicts().filter(|verdict| verdict.met == Some(false)).count();
    let _ = writeln!(out, "{met} figures meet their bars, {missed} miss them");
    for line in lines {
        let missed = line.verdicts.iter().filter(|verdict| verdict.met == Some(false));
        let missed: Vec<String> = missed
            .map(|verdict| format!("{} {:.3}", verdict.subject, verdict.spread.middle()))
            .collect();
        if !missed.is_empty() {
            let _ = writeln!(out, "  {}: {}", line.text(), missed.join(", "));
        }
    }
}

fn notes(out: &mut String, report: &Report) {
    let mut before = "";
    for row in report.rows() {
        if row.name != before {
            let _ = writeln!(out, "  {}: {}", row.name, row.what);
        }
        before = &row.name;
        for cell in &row.cells {
            if let Some(note) = &cell.note {
                let _ = writeln!(out, "      {} ({}): {note}", cell.subject, row.processors.text());
            }
        }
    }
    for note in &report.runs[0].notes {
        let _ = writeln!(out, "  note: {note}");
    }
    let seconds: f64 = report.runs.iter().map(|run| run.seconds).sum();
    let _ = writeln!(out, "  note: it took {seconds:.0} s");
}
