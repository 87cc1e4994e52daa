//! The ledgers as a table.

use std::fmt::Write;
use std::time::Duration;

use limit_fleet::LedgerName;
use limit_fleet::ledger::{NodeView, View};

use crate::silence::Silence;

/// The widest line, in characters.
const WIDTH: usize = 100;
/// The columns besides the first, and the most that one is wide.
const TITLES: [&str; 6] = ["limit", "share", "running", "want", "lease left", "queue"];
const COLUMN: usize = 14;

type Row = (String, [String; 6]);

/// The silence of a ledger that is worth a word. Nodes that are at work speak each 2 s, by default.
const SILENCE: Duration = Duration::from_secs(20);

/// Returns a table with a row for each ledger, and below it one for each of its nodes.
pub(crate) fn text(ledgers: &[(LedgerName, View)]) -> String {
    if ledgers.is_empty() {
        return "no ledgers\n".to_owned();
    }
    let mut rows = vec![("ledger, nodes".to_owned(), TITLES.map(str::to_owned))];
    for (name, view) in ledgers {
        let silence = Silence::of(view);
        rows.push(ledger(name, view, silence));
        let mut queue: Vec<u64> = view.nodes.iter().filter_map(|node| node.ticket).collect();
        queue.sort_unstable();
        rows.extend(view.nodes.iter().map(|it| node(it, &queue, silence)));
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

fn ledger(name: &LedgerName, view: &View, silence: Silence) -> Row {
    let sum = |of: fn(&NodeView) -> u32| {
        view.nodes.iter().map(|node| u64::from(of(node))).sum::<u64>().to_string()
    };
    let waiting = view.nodes.iter().filter(|node| node.ticket.is_some()).count();
    let cells = [
        view.limit.to_string(),
        sum(|node| node.share),
        sum(|node| node.running),
        sum(|node| node.want),
        state(view, silence),
        if waiting > 0 { format!("{waiting} wait") } else { String::new() },
    ];
    (name.to_string(), cells)
}

/// Says if a ledger learns or is silent. What a silent one holds may be long gone.
fn state(view: &View, Silence(silence): Silence) -> String {
    if silence >= SILENCE {
        let seconds = silence.as_secs();
        let (amount, unit) = match seconds {
            0..120 => (seconds, "s"),
            120..7200 => (seconds / 60, "min"),
            7200..172_800 => (seconds / 3600, "h"),
            _ => (seconds / 86_400, "d"),
        };
        return format!("silent {amount} {unit}");
    }
    if view.learning { "learning".to_owned() } else { String::new() }
}

fn node(node: &NodeView, queue: &[u64], silence: Silence) -> Row {
    let position = node.ticket.and_then(|ticket| queue.binary_search(&ticket).ok());
    let left = if silence.outlasts(node) {
        "over".to_owned()
    } else {
        format!("{}.{} s", node.left / 1_000_000, node.left / 100_000 % 10)
    };
    let cells = [
        node.limit.to_string(),
        node.share.to_string(),
        node.running.to_string(),
        node.want.to_string(),
        left,
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
