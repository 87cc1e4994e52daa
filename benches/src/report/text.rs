//! The report as aligned text.

use std::fmt::Write as _;

use limit_benches::table::aligned;

use super::contents::{Report, met};
use crate::rows::{Cell, Row, Unit};
use crate::subjects::NAMES;

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
    if !report.rows.is_empty() {
        out.push_str("\nRatios: median of the rounds, each round both sides\n");
        table(&mut out, &report.rows, figure);
        out.push_str("\nNanoseconds of one call: medians (and what it is held against)\n");
        let timed: Vec<Row> =
            report.rows.iter().filter(|row| row.unit != Unit::Bytes).cloned().collect();
        table(&mut out, &timed, |_, cell| nanos(cell));
    }
    costs(&mut out, report);
    out.push('\n');
    for row in &report.rows {
        let _ = writeln!(out, "  {}: {}", row.name, row.what);
        for cell in &row.cells {
            if let Some(note) = &cell.note {
                let _ = writeln!(out, "      {}: {note}", cell.subject);
            }
        }
    }
    for note in &report.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    out
}

fn figure(row: &Row, cell: &Cell) -> String {
    let figure = match row.unit {
        Unit::Bytes => format!("{:.1}", cell.figure),
        Unit::TimesPeer | Unit::TimesSmaller => format!("{:.3}", cell.figure),
    };
    match met(row, cell.subject, cell.figure) {
        Some(true) => format!("{figure} ok"),
        Some(false) => format!("{figure} MISS"),
        None => figure,
    }
}

fn nanos(cell: &Cell) -> String {
    match (cell.nanos, cell.base_nanos) {
        (Some(nanos), Some(base)) if cell.subject != crate::subjects::PEER => {
            format!("{nanos:.1} ({base:.1})")
        }
        (Some(nanos), _) => format!("{nanos:.1}"),
        _ => "n/a".to_owned(),
    }
}

/// Adds a table with one line for each row and one column for each contender.
fn table(out: &mut String, rows: &[Row], text: impl Fn(&Row, &Cell) -> String) {
    let mut lines = vec![["row", "at most"].into_iter().chain(NAMES).map(str::to_owned).collect()];
    for row in rows {
        let at_most = row.at_most.map_or_else(|| "-".to_owned(), |most| format!("{most:.2}"));
        let mut line = vec![row.name.to_owned(), at_most];
        for name in NAMES {
            let cell = row.cells.iter().find(|cell| cell.subject == name);
            line.push(cell.map_or_else(|| "n/a".to_owned(), |cell| text(row, cell)));
        }
        lines.push(line);
    }
    aligned(out, &lines);
}

fn costs(out: &mut String, report: &Report) {
    if report.costs.is_empty() {
        return;
    }
    out.push_str("\nBytes of a future; allocations of a call in a task / in block_on\n");
    let mut lines: Vec<Vec<String>> = Vec::new();
    for cost in &report.costs {
        if lines.is_empty() {
            let forms = cost.forms.iter().map(|form| form.name.to_owned());
            lines.push(std::iter::once("function".to_owned()).chain(forms).collect());
        }
        let mut line = vec![cost.function.to_owned()];
        for form in &cost.forms {
            let bytes = form.future_bytes;
            line.push(match form.allocations {
                Some([task, block_on]) => format!("{bytes} B; {task} / {block_on}"),
                None => format!("{bytes} B"),
            });
        }
        lines.push(line);
    }
    aligned(out, &lines);
}
