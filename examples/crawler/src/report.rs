//! The output for the user: the bar while the crawl runs, the lists and tables at the end.
//!
//! `anstream` passes colours on to a terminal, and takes them out for a pipe or a file.

use std::time::Duration;

use anstream::println;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use limit_runtime::{LimiterHandle, Snapshot, WaitTimes};
use reqwest::Url;

use crate::crawled::Crawled;
use crate::fetch;
use crate::store::{Row, Store};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// The progress bar, which shows only on a terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(1);
        let template = "{bar:24.cyan/dim} {pos} of {len} pages  {msg}  {elapsed}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸━"));
        }
        Self(bar)
    }

    /// Shows how many of the `taken` pages are done, and how many run or wait at `fetch`'s limiter.
    pub(crate) fn show(&self, done: usize, taken: usize) {
        let (in_flight, queued) = fetch::in_flight_and_queued();
        self.0.set_length(taken as u64);
        self.0.set_position(done as u64);
        self.0.set_message(format!("{in_flight} in flight, {queued} waiting"));
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

/// Says what begins.
pub(crate) fn print_start(start: &Url, store: &Store) {
    println!("crawling {BOLD}{start}{BOLD:#} into {store}");
}

/// Prints the result of the crawl and the figures of the limiters.
pub(crate) fn print(crawled: &Crawled, rows: i64, last: &[Row], store: &Store) {
    print_failures(crawled);
    print_pages(crawled);
    print_rows(rows, last, store);
    print_limiters();
}

fn print_failures(crawled: &Crawled) {
    if crawled.failures.is_empty() {
        return;
    }
    println!("\n{BOLD}{} failed{BOLD:#}", count(crawled.failures.len() as u64, "page"));
    for failure in &crawled.failures {
        let status = format!("{:<12}", failure.status);
        println!("  {RED}{status}{RED:#} {}  {DIM}{}{DIM:#}", failure.url, failure.detail);
    }
}

fn print_pages(crawled: &Crawled) {
    let pages = crawled.pages();
    let seconds = crawled.elapsed.as_secs_f64();
    println!(
        "\n{BOLD}{} in {seconds:.1} s, {} a second{BOLD:#}",
        count(pages, "page"),
        rate(pages, seconds),
    );
    for (status, pages) in &crawled.statuses {
        let colour = if status.is_failure() { RED } else { GREEN };
        println!("  {pages:>6} {colour}{status}{colour:#}");
    }
    match crawled.left {
        0 => {}
        1 => println!("  {:>6} more was seen and left alone", 1),
        left => println!("  {left:>6} more were seen and left alone"),
    }
}

fn print_rows(rows: i64, last: &[Row], store: &Store) {
    let rows = count(rows.unsigned_abs(), "row");
    println!("\n{BOLD}{rows} written{BOLD:#} to {store}, table crawled_pages; the last:");
    let width = last.iter().map(|(url, ..)| url.chars().count()).max().unwrap_or(0).min(60);
    for (url, status, title) in last {
        println!("  {url:<width$}  {DIM}{status:<12}{DIM:#} {title}");
    }
}

/// Prints the limiters side by side: one line for each figure fits a narrow terminal.
fn print_limiters() {
    let limiters: Vec<Snapshot> =
        limit_runtime::limiters().iter().map(LimiterHandle::snapshot).collect();
    println!();
    line("", &limiters, |limiter| limiter.name.clone());
    line("limit", &limiters, |limiter| limiter.total.limit.to_string());
    line("in use", &limiters, |limiter| limiter.total.in_use.to_string());
    line("waiting", &limiters, |limiter| limiter.total.waiting.to_string());
    line("most ever waiting", &limiters, |limiter| limiter.total.most_waiting.to_string());
    line("admitted at once", &limiters, |limiter| limiter.total.admitted_at_once.to_string());
    line("admitted after waiting", &limiters, |limiter| {
        limiter.total.admitted_after_waiting.to_string()
    });
    line("cancelled while waiting", &limiters, |limiter| limiter.total.cancelled.to_string());
    line("rejected", &limiters, |limiter| limiter.total.rejected.total().to_string());
    line("wait p50", &limiters, |limiter| wait(&limiter.total.wait, |wait| wait.p50));
    line("wait p90", &limiters, |limiter| wait(&limiter.total.wait, |wait| wait.p90));
    line("wait p99", &limiters, |limiter| wait(&limiter.total.wait, |wait| wait.p99));
    line("wait max", &limiters, |limiter| wait(&limiter.total.wait, |wait| wait.max));
    for limiter in &limiters {
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
    let style = if figure.is_empty() { BOLD } else { Style::new() };
    println!("{figure:<24}{style}{}{style:#}", values.collect::<String>());
}

/// Returns one of the wait times, or "–" if no call waited.
fn wait(times: &WaitTimes, time: impl Fn(&WaitTimes) -> Duration) -> String {
    if times.count == 0 { "–".to_owned() } else { format!("{:.1?}", time(times)) }
}

/// Returns a number with its noun, such as `1 page` or `2 pages`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[expect(clippy::cast_precision_loss, reason = "a crawl has fewer than 2^53 pages")]
fn rate(pages: u64, seconds: f64) -> String {
    let rate = pages as f64 / seconds.max(0.001);
    if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}
