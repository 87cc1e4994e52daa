//! The cost of observation: a scrape of many limiters, a reading of them by the console, calls
//! while either runs every second, and calls whose holders are recorded.
//!
//! `cargo run --release -p limit-benches --features observed --bin observed`
#![forbid(unsafe_code)]

mod observers;

use clap::Parser;
use futures_util::StreamExt;
use limit_benches::machine::{Machine, version};
use limit_benches::measure::{Contestant, Plan, Series, compare, time};
use limit_benches::processors::Processors;
use limit_benches::{median, table};
use limit_exporters::prometheus::Collector;
use limit_runtime::{Limiter, concurrency_limit, diagnostics};
use observers::{Console, Scraper, open_page};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Measures what it costs to be looked at
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewer and shorter rounds: for a first look
    #[arg(long)]
    quick: bool,
}

/// A closure that makes a number of calls and returns how long they took.
type Calls = fn(&Runtime, u32) -> Duration;

/// The number of limiters that are scraped.
const LIMITERS: usize = 1_000;
/// The target for a scrape of them.
const AT_MOST: Duration = Duration::from_millis(10);
/// The target for the ratio of a queued call that is recorded to one that is not.
const RECORDED_AT_MOST: f64 = 1.10;
const TASKS: u32 = 64;

const ALONE: &str = "alone";
const SCRAPED: &str = "scraped";
const WATCHED: &str = "watched";
const RECORDED: &str = "recorded";

#[concurrency_limit(1_000)]
async fn free(value: u32) -> u32 {
    value
}

#[concurrency_limit(8)]
async fn queued(value: u32) -> u32 {
    tokio::task::yield_now().await;
    value
}

fn main() {
    let arguments = Arguments::parse();
    // A turn is long enough for a scrape or two.
    let plan = if arguments.quick {
        Plan { rounds: 3, turn: Duration::from_millis(100) }
    } else {
        Plan { rounds: 11, turn: Duration::from_millis(1_500) }
    };
    let runtime = two_workers();
    let _limiters = crowd(&runtime);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collector::new()));

    let machine = Machine::here();
    println!(
        "{}, {} cores, {}, {}",
        machine.processor, machine.cores, machine.system, machine.date
    );
    println!("{} rounds of about {} ms", plan.rounds, plan.turn.as_millis());
    println!("tokio {}, prometheus-client {}\n", version("tokio"), version("prometheus-client"));
    let times = if arguments.quick { 20 } else { 200 };
    scrapes(&registry, times);
    readings(times);

    let head = ["", "processors", ALONE, SCRAPED, "", WATCHED, "", RECORDED, ""];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for (row, calls, processors, at_most) in [
        ("task", in_a_task as Calls, Processors::All, None),
        ("queued", in_a_queue, Processors::All, Some(RECORDED_AT_MOST)),
        ("queued", in_a_queue, Processors::One, Some(RECORDED_AT_MOST)),
    ] {
        match processors.run(|| measure(plan, calls)) {
            Some(series) => lines.push(line(row, processors, at_most, &series)),
            None => println!("Threads cannot be pinned here: no {row} on one processor"),
        }
    }
    let mut text = String::new();
    table::aligned(&mut text, &lines);
    print!("Nanoseconds of a call, and as a ratio to alone: medians\n{text}");
    println!(
        "\n  task: permit free, inside a spawned task\n  \
         queued: {TASKS} tasks, 8 permits, body yields once: every call queues\n  \
         alone: built with the feature `diagnostics`, which records nothing\n  \
         scraped: {LIMITERS} limiters are collected and encoded as text every second, by another thread\n  \
         watched: the console reads {LIMITERS} limiters every second and tells a page that is open, in another thread\n  \
         recorded: each call's place, task and start are (`diagnostics::record(true)`); queued: at most \
         {RECORDED_AT_MOST:.2}\n  \
         one: all threads are pinned to one processor"
    );
}

fn two_workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().expect("two workers")
}

/// Measures calls that nobody observes, and the same calls under each observer.
fn measure(plan: Plan, calls: Calls) -> Vec<Series> {
    let runtime = &two_workers();
    let mut contestants = [
        Contestant::new(ALONE, true, |count| calls(runtime, count)),
        Contestant::new(SCRAPED, true, |count| {
            let scraper = Scraper::start();
            let took = calls(runtime, count);
            drop(scraper);
            took
        }),
        Contestant::new(WATCHED, true, |count| {
            let console = Console::start();
            let took = calls(runtime, count);
            drop(console);
            took
        }),
        Contestant::new(RECORDED, true, |count| {
            diagnostics::record(true);
            let took = calls(runtime, count);
            diagnostics::record(false);
            took
        }),
    ];
    compare(plan, &mut contestants)
}

/// Makes limiters, and uses each so that a call waits.
fn crowd(runtime: &Runtime) -> Vec<Limiter> {
    diagnostics::record(false);
    let limiters: Vec<_> = (0..LIMITERS)
        .map(|number| Limiter::named(format!("service::function_{number}"), 1))
        .collect();
    runtime.block_on(async {
        for limiter in &limiters {
            let permit = limiter.acquire().await;
            let mut waiter = limiter.acquire();
            let waits =
                poll_fn(|context| Poll::Ready(Pin::new(&mut waiter).poll(context).is_pending()));
            assert!(waits.await, "the permit is out");
            drop(permit);
            drop(waiter.await);
        }
    });
    limiters
}

fn scrapes(registry: &Registry, times: usize) {
    let mut text = String::new();
    let mut nanos = Vec::new();
    for _ in 0..times {
        text.clear();
        let took = time(|| encode(&mut text, registry).expect("text can be written"));
        nanos.push(took.as_secs_f64() * 1e9);
    }
    let scrape = median(nanos) / 1e6;
    let verdict = if scrape <= AT_MOST.as_secs_f64() * 1e3 { "ok" } else { "TOO SLOW" };
    println!(
        "A scrape of {LIMITERS} limiters: {scrape:.2} ms (at most {}: {verdict}), {} lines of text",
        AT_MOST.as_millis(),
        text.lines().count()
    );
}

/// Does the work that the console does once a second: reads all limiters, and sends the changes to
/// a page.
fn readings(times: usize) {
    // The paused clock goes on when there is nothing else to do, so that readings follow one
    // another.
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let nanos: Vec<_> = runtime.expect("one thread").block_on(async {
        let mut page = open_page().await;
        let mut nanos = Vec::new();
        for _ in 0..times {
            let start = Instant::now();
            page.next().await.expect("another reading").expect("no error");
            nanos.push(start.elapsed().as_secs_f64() * 1e9);
        }
        nanos
    });
    let reading = median(nanos) / 1e6;
    let verdict = if reading <= AT_MOST.as_secs_f64() * 1e3 { "ok" } else { "TOO SLOW" };
    println!(
        "A reading of them by the console: {reading:.2} ms (at most {}: {verdict})\n",
        AT_MOST.as_millis()
    );
}

fn in_a_task(runtime: &Runtime, count: u32) -> Duration {
    let calls = runtime.spawn(async move {
        let start = Instant::now();
        for value in 0..count {
            black_box(free(value).await);
        }
        start.elapsed()
    });
    runtime.block_on(calls).expect("the task ends")
}

fn in_a_queue(runtime: &Runtime, count: u32) -> Duration {
    let each = count.div_ceil(TASKS);
    time(|| {
        runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    tokio::spawn(async move {
                        for value in 0..each {
                            black_box(queued(value).await);
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("the task ends");
            }
        });
    })
}

fn line(
    row: &str,
    processors: Processors,
    recorded_at_most: Option<f64>,
    series: &[Series],
) -> Vec<String> {
    let [alone, observed @ ..] = series else { return Vec::new() };
    let nanos = |series: &Series| format!("{:.1}", series.median());
    let ratio = |series: &Series| {
        let ratio = median(series.ratios_to(alone));
        match recorded_at_most.filter(|_| series.name == RECORDED) {
            Some(at_most) if ratio <= at_most => format!("{ratio:.3} ok"),
            Some(_) => format!("{ratio:.3} MISS"),
            None => format!("{ratio:.3}"),
        }
    };
    let cells = observed.iter().flat_map(|series| [nanos(series), ratio(series)]);
    [row.to_owned(), processors.text().to_owned(), nanos(alone)].into_iter().chain(cells).collect()
}
