//! The ledgers as a table.

use std::fmt::Write;

use limit_fleet::LedgerName;
use limit_fleet::ledger::{NodeView, View};

/// The widest line, in characters.
const WIDTH: usize = 100;
/// The columns besides the first. Each has the width of its title, and at least that of ten digits.
const TITLES: [&str; 6] = ["limit", "share", "running", "want", "lease left", "queue"];
const COLUMN: usize = 10;

type Row = (String, [String; 6]);

/// Returns a table with a row for each ledger, and below it one for each of its nodes.
pub(crate) fn text(ledgers: &[(LedgerName, View)]) -> String {
    if ledgers.is_empty() {
        return "no ledgers\n".to_owned();
    }
    let mut rows = vec![("ledger, nodes".to_owned(), TITLES.map(str::to_owned))];
    for (name, view) in ledgers {
        rows.push(ledger(name, view));
        let mut queue: Vec<u64> = view.nodes.iter().filter_map(|node| node.ticket).collect();
        queue.sort_unstable();
        rows.extend(view.nodes.iter().map(|it| node(it, &queue)));
    }
    let widths: [usize; 6] = std::array::from_fn(|index| {
        rows.iter().map(|row| row.1[index].chars().count()).max().unwrap_or(0).min(COLUMN)
    });
    let others: usize = widths.iter().map(|width| width + 2).sum();
    let longest = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
    let first = longest.min(WIDTH - others);
    let mut text = String::new();
    for (name, cells) in rows {
        let mut line = format!("{:first$}", shorten(&name, first));
        for (cell, width) in cells.iter().zip(widths) {
            // Writing to a text cannot fail.
            let _ = write!(line, "  {cell:>width$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn ledger(name: &LedgerName, view: &View) -> Row {
    let sum = |of: fn(&NodeView) -> u32| {
        view.nodes.iter().map(|node| u64::from(of(node))).sum::<u64>().to_string()
    };
    let waiting = view.nodes.iter().filter(|node| node.ticket.is_some()).count();
    let cells = [
        view.limit.to_string(),
        sum(|node| node.share),
        sum(|node| node.running),
        sum(|node| node.want),
        if view.learning { "learning".to_owned() } else { String::new() },
        if waiting > 0 { format!("{waiting} wait") } else { String::new() },
    ];
    (name.to_string(), cells)
}

fn node(node: &NodeView, queue: &[u64]) -> Row {
    let position = node.ticket.and_then(|ticket| queue.binary_search(&ticket).ok());
    let cells = [
        node.limit.to_string(),
        node.share.to_string(),
        node.running.to_string(),
        node.want.to_string(),
        format!("{}.{} s", node.left / 1_000_000, node.left / 100_000 % 10),
        position.map_or_else(String::new, |position| format!("#{}", position + 1)),
    ];
    // A name comes from another process. It must not write to the terminal as it likes.
    let name = node.id.0.chars().map(|char| if char.is_control() { '?' } else { char });
    (format!("  {}", name.collect::<String>()), cells)
}

/// Takes characters out of the middle: the begin and the end of a name tell more.
fn shorten(name: &str, width: usize) -> String {
    let count = name.chars().count();
    if count <= width {
        return name.to_owned();
    }
    let (begin, end) = (width / 2, width - width / 2 - 1);
    name.chars().take(begin).chain(['…']).chain(name.chars().skip(count - end)).collect()
}
