//! The tables of the report.

use limit_benches::table::aligned;

use super::bars::Line;
use super::contents::Report;
use crate::rows::bars::{Against, bars as bars_of};
use crate::rows::bytes::Bytes;
use crate::rows::cost::Cost;
use crate::rows::{Cell, Row};
use crate::subjects::{NAMES, OURS};

fn owned<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// Adds our columns beside the bars.
pub(super) fn bars(out: &mut String, report: &Report, lines: &[Line<'_>]) {
    out.push_str("\nBars: medians of the rounds, each round both sides; one processor or all, where tasks call at once\n");
    let mut cells = vec![owned(["row", "processors", "at most", OURS[0], OURS[1]])];
    let mut before = None;
    for line in lines {
        let this = (&line.row.name, line.row.processors);
        let mut cell = if before == Some(this) {
            owned(["", ""])
        } else {
            owned([&line.row.name, line.row.processors.text()])
        };
        before = Some(this);
        cell.push(line.bar.text());
        cell.extend(OURS.map(|subject| {
            let verdict = line.verdict(subject);
            verdict.map_or_else(
                || "n/a".to_owned(),
                |verdict| verdict.text(line.bar.against, report.runs.len()),
            )
        }));
        cells.push(cell);
    }
    aligned(out, &cells);
}

/// Adds the figures of all contenders, each in its row's first unit.
pub(super) fn ratios(out: &mut String, report: &Report) {
    out.push_str(
        "\nAll contenders: ratios to tokio (or by hand, or to the smaller setting), and bytes\n",
    );
    contenders(out, report.rows().iter(), |row, subject| {
        let against = bars_of(&row.name)[0].against;
        let digits = if against == Against::Bytes { 1 } else { 3 };
        let figure =
            |cell: &Cell| if against == Against::Bytes { cell.bytes } else { cell.ratio() };
        let spread = report.of_cells(row, subject, figure)?;
        Some(format!("{:.digits$}", spread.middle()))
    });
}

/// Adds the times.
pub(super) fn nanoseconds(out: &mut String, report: &Report) {
    out.push_str("\nNanoseconds of one call (and of one in the smaller setting)\n");
    let timed =
        report.rows().iter().filter(|row| row.cells.iter().any(|cell| !cell.nanos.is_empty()));
    contenders(out, timed, |row, subject| {
        let nanos = report.of_cells(row, subject, Cell::nanoseconds)?;
        let smaller = bars_of(&row.name).iter().any(|bar| bar.against == Against::Smaller);
        let base = report.of_cells(row, subject, |cell| {
            let ratio = cell.ratio()?;
            cell.nanoseconds().map(|nanos| nanos / ratio)
        });
        let base = base.filter(|_| smaller);
        let base = base.map_or_else(String::new, |base| format!(" ({:.1})", base.middle()));
        Some(format!("{:.1}{base}", nanos.middle()))
    });
}

/// Adds a table with one line for each row and one column for each contender.
fn contenders<'a>(
    out: &mut String,
    rows: impl Iterator<Item = &'a Row>,
    text: impl Fn(&Row, &str) -> Option<String>,
) {
    let mut lines = vec![owned(["row", "processors"])];
    lines[0].extend(owned(NAMES));
    for row in rows {
        let mut line = owned([&row.name, row.processors.text()]);
        line.extend(NAMES.map(|name| text(row, name).unwrap_or_else(|| "n/a".to_owned())));
        lines.push(line);
    }
    aligned(out, &lines);
}

pub(super) fn costs(out: &mut String, costs: &[Cost]) {
    let Some(first) = costs.first() else { return };
    out.push_str("\nBytes of a future; allocations of a call in a task / in block_on\n");
    let mut lines = vec![owned(["function"])];
    lines[0].extend(first.forms.iter().map(|form| form.name.clone()));
    for cost in costs {
        let mut line = vec![cost.function.clone()];
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

pub(super) fn bytes(out: &mut String, all: &[Bytes]) {
    if all.is_empty() {
        return;
    }
    out.push_str("\nBytes kept for one thing\n");
    let mut lines = vec![owned(["thing", "ours", "by hand"])];
    for bytes in all {
        let by_hand = bytes.by_hand.map_or_else(|| "-".to_owned(), |bytes| format!("{bytes:.0}"));
        lines.push(vec![bytes.what.clone(), format!("{:.0}", bytes.ours), by_hand]);
    }
    aligned(out, &lines);
}
