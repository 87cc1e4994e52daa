//! The output for the user: the bar while the crawl runs, the tables at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use limit_runtime::{LimiterHandle, Snapshot};
use reqwest::Url;

use crate::fetch;
use crate::status::Status;
use crate::store::Store;

/// The progress bar, which shows only on a terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(1);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// Shows how many of the `taken` pages are done, and how many run or wait at `fetch`'s limiter.
    pub(crate) fn show(&self, done: usize, taken: usize) {
        let (in_flight, queued) = fetch::in_flight_and_queued();
        self.0.set_length(taken as u64);
        self.0.set_position(done as u64);
        self.0.set_message(format!("{done} done, {queued} queued, {in_flight} in flight"));
    }

    /// Prints a line above the bar.
    pub(crate) fn say(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Prints the result of the crawl and the figures of the limiters.
pub(crate) fn print(
    start: &Url,
    statuses: &BTreeMap<Status, u64>,
    left: usize,
    rows: i64,
    store: &Store,
) {
    let pages: u64 = statuses.values().sum();
    println!("\n{pages:6} pages crawled from {start}");
    for (status, count) in statuses {
        println!("{count:6}   {status}");
    }
    if left > 0 {
        println!("{left:6} more were seen and left alone");
    }
    println!("{rows:6} rows written to {store}, table crawled_pages\n");
    let limiters: Vec<Snapshot> =
        limit_runtime::limiters().iter().map(LimiterHandle::snapshot).collect();
    print_table(&limiters);
}

/// Prints the limiters side by side: one line for each figure fits a narrow terminal.
fn print_table(limiters: &[Snapshot]) {
    line("", limiters, |limiter| limiter.name.clone());
    line("limit", limiters, |limiter| limiter.total.limit.to_string());
    line("in use", limiters, |limiter| limiter.total.in_use.to_string());
    line("waiting", limiters, |limiter| limiter.total.waiting.to_string());
    line("most ever waiting", limiters, |limiter| limiter.total.most_waiting.to_string());
    line("admitted at once", limiters, |limiter| limiter.total.admitted_at_once.to_string());
    line("admitted after waiting", limiters, |limiter| {
        limiter.total.admitted_after_waiting.to_string()
    });
    line("cancelled while waiting", limiters, |limiter| limiter.total.cancelled.to_string());
    line("rejected", limiters, |limiter| limiter.total.rejected.total().to_string());
    line("wait p50", limiters, |limiter| short(limiter.total.wait.p50));
    line("wait p90", limiters, |limiter| short(limiter.total.wait.p90));
    line("wait p99", limiters, |limiter| short(limiter.total.wait.p99));
    line("wait max", limiters, |limiter| short(limiter.total.wait.max));
    for limiter in limiters {
        for warning in &limiter.warnings {
            println!("{}: {warning}", limiter.name);
        }
    }
}

fn line(figure: &str, limiters: &[Snapshot], value: impl Fn(&Snapshot) -> String) {
    let values = limiters.iter().map(|limiter| {
        let width = limiter.name.len().max(10);
        format!("  {:>width$}", value(limiter))
    });
    println!("{figure:<24}{}", values.collect::<String>());
}

fn short(duration: Duration) -> String {
    format!("{duration:.1?}")
}
