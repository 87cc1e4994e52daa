//! The drawing: a line for each connection.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// One download, from start to end.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) number: usize,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
}

/// The time that one character stands for.
const STEP: Duration = Duration::from_millis(125);

/// The downloads, each with the connection that it used.
#[derive(Debug)]
pub(crate) struct Timeline {
    begin: Instant,
    /// The downloads of each connection, one after the other.
    connections: Vec<Vec<Span>>,
}

impl Timeline {
    /// Gives each span the first connection that is free when the span starts.
    ///
    /// The drawing gets a new connection only if no other is free. If more than three downloads ran
    /// at once, the drawing would have a fourth line.
    pub(crate) fn new(begin: Instant, mut spans: Vec<Span>) -> Self {
        spans.sort_by_key(|span| span.start);
        let mut connections: Vec<Vec<Span>> = Vec::new();
        for span in spans {
            let is_free = |line: &&mut Vec<Span>| line.iter().all(|busy| busy.end <= span.start);
            match connections.iter_mut().find(is_free) {
                Some(free) => free.push(span),
                None => connections.push(vec![span]),
            }
        }
        Self { begin, connections }
    }

    /// Returns the column of `instant` in a line of the drawing.
    fn column(&self, instant: Instant) -> usize {
        let steps = (instant - self.begin).as_millis() / STEP.as_millis();
        usize::try_from(steps).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut longest = 0;
        for (index, spans) in self.connections.iter().enumerate() {
            let mut line = String::new();
            for span in spans {
                let (start, end) = (self.column(span.start), self.column(span.end));
                line = format!("{line:<start$}|{}", span.number);
                line = format!("{line:-<end$}");
            }
            writeln!(f, "connection {}  {line}|", index + 1)?;
            longest = longest.max(line.len());
        }
        let columns = usize::try_from(1000 / STEP.as_millis()).unwrap_or(1);
        let seconds = (0..=longest / columns).map(|second| format!("{second:<columns$}"));
        let seconds = seconds.collect::<String>();
        writeln!(f, "     seconds  {}", seconds.trim_end())
    }
}
