//! A worker: one process of a fleet, whose calls write down when they start and end.
//!
//! It writes a line for each event, with the time in microseconds of the clock of leases. It reads commands: `start`
//! starts the fleet, `tasks N` sets how many calls it makes at once, `limit N` sets its limit, `stop` and `drop` leave
//! the fleet. It ends with its input.

use std::collections::HashSet;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use limit_fleet::Fleet;
use limit_runtime::{Limiter, OnUnavailable, Permit, Rejected, Scope, Snapshot, fleet};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// The variable with the settings. A process that has it is a worker.
pub(crate) const VARIABLE: &str = "LIMIT_FLEET_TEST_WORKER";

/// The most calls that a worker makes at once for each limiter.
const MOST_TASKS: usize = 32;

/// The time between two looks of a call at its lease.
const LOOK: Duration = Duration::from_millis(5);

/// Returns the settings if this process is a worker.
pub(crate) fn settings() -> Option<Value> {
    let text = std::env::var(VARIABLE).ok()?;
    Some(serde_json::from_str(&text).expect("settings of a worker"))
}

/// Works until the input ends.
pub(crate) fn run(settings: &Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work(settings));
    // Calls that still run end with the process, and nothing is given back.
    std::process::exit(0);
}

async fn work(settings: &Value) {
    let names = settings["limiters"].as_array().expect("names").iter();
    let limiters: Vec<Db> = names.map(|name| Db::new(text(name), settings)).collect();
    let mut commands = read_commands();
    let mut fleet = None;
    if settings["starts"] == true {
        // Before the first call, which would be limited by this process alone.
        fleet = start(settings).await;
        if fleet.is_none() {
            return;
        }
    }
    let tasks = watch::Sender::new(number(&settings["tasks"]));
    let calls = Arc::new(AtomicUsize::new(0));
    let body = Duration::from_millis(number(&settings["body"]) as u64);
    for db in &limiters {
        for task in 0..MOST_TASKS {
            let (db, tasks, calls) = (*db, tasks.subscribe(), Arc::clone(&calls));
            tokio::spawn(async move { db.call_again_and_again(task, tasks, &calls, body).await });
        }
    }
    tokio::spawn(tell_shares(limiters.clone()));
    while let Some(command) = commands.recv().await {
        let mut words = command.split(' ');
        let (word, argument) = (words.next(), words.next().and_then(|word| word.parse().ok()));
        match (word, argument) {
            (Some("start"), None) => {
                if let Some(started) = start(settings).await {
                    fleet = Some(started);
                }
            }
            (Some("tasks"), Some(number)) => _ = tasks.send_replace(number),
            (Some("limit"), Some(limit)) => limiters.iter().for_each(|db| db.set_limit(limit)),
            (Some("stop"), None) => {
                if let Some(fleet) = fleet.take() {
                    fleet.stop().await;
                }
                tell("left");
            }
            (Some("drop"), None) => {
                drop(fleet.take());
                tell("left");
            }
            _ => panic!("no command: {command}"),
        }
    }
}

/// Starts the fleet, and writes down what came of it.
async fn start(settings: &Value) -> Option<Fleet> {
    let lease = Duration::from_millis(number(&settings["lease"]) as u64);
    let mut builder = Fleet::connect(text(&settings["url"])).namespace("test").lease(lease);
    if settings["lazily"] == true {
        builder = builder.lazily();
    }
    match builder.start().await {
        Ok(fleet) => {
            tell("started");
            Some(fleet)
        }
        Err(error) => {
            tell(&format!("failed {error}"));
            None
        }
    }
}

/// The limiter of the calls: a limiter whose calls can be refused, or one whose calls cannot.
#[derive(Clone, Copy)]
enum Db {
    Waits(&'static Limiter),
    Refuses(&'static Limiter<Rejected>),
}

impl Db {
    fn new(name: &str, settings: &Value) -> Self {
        let limiter =
            Limiter::named(name.to_owned(), number(&settings["limit"])).scope(Scope::Fleet);
        match text(&settings["calls"]) {
            "wait" => Self::Waits(Box::leak(Box::new(limiter))),
            "refuse" => {
                Self::Refuses(Box::leak(Box::new(limiter.max_wait(Duration::from_secs(60)))))
            }
            "fail fast" => Self::Refuses(Box::leak(Box::new(limiter.max_waiting(0)))),
            "local 2" => {
                let limiter = limiter.on_unavailable(OnUnavailable::Local(2));
                Self::Waits(Box::leak(Box::new(limiter)))
            }
            other => panic!("no kind of calls: {other}"),
        }
    }

    fn set_limit(self, limit: usize) {
        match self {
            Self::Waits(limiter) => limiter.set_limit(limit),
            Self::Refuses(limiter) => limiter.set_limit(limit),
        }
    }

    fn snapshot(self) -> Snapshot {
        match self {
            Self::Waits(limiter) => limiter.snapshot(),
            Self::Refuses(limiter) => limiter.snapshot(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Waits(limiter) => limiter.name(),
            Self::Refuses(limiter) => limiter.name(),
        }
    }

    async fn acquire(self) -> Result<Permit, Rejected> {
        match self {
            Self::Waits(limiter) => Ok(limiter.acquire().await),
            Self::Refuses(limiter) => limiter.acquire().await,
        }
    }

    async fn call_again_and_again(
        self,
        task: usize,
        mut tasks: watch::Receiver<usize>,
        calls: &AtomicUsize,
        body: Duration,
    ) {
        loop {
            tasks
                .wait_for(|&tasks| task < tasks)
                .await
                .expect("the sender lives as long as the process");
            match self.acquire().await {
                Ok(permit) => run_body(self.name(), calls, &permit, body).await,
                Err(rejected) => {
                    tell(&format!("refused {}", rejected.kind()));
                    sleep(4 * LOOK).await;
                }
            }
        }
    }
}

async fn run_body(limiter: &str, calls: &AtomicUsize, permit: &Permit, body: Duration) {
    let start = fleet::now();
    let mut lease = permit.is_valid();
    // The lines are in the order of the numbers: the process has one thread.
    let call = calls.fetch_add(1, Ordering::Relaxed);
    let token = permit.fencing_token().map_or_else(|| "-".to_owned(), |token| token.to_string());
    let state = if lease { "leased" } else { "unleased" };
    tell_at(start, &format!("begin {call} {limiter} {state} {token}"));
    let mut last = start;
    loop {
        let rest = (start + body).saturating_sub(fleet::now());
        sleep(rest.min(LOOK)).await;
        // The time comes first: a lease that is good after it was good at that time.
        let now = fleet::now();
        if lease && !permit.is_valid() {
            lease = false;
            tell_at(now, &format!("lost {call} {}", last.as_micros()));
        }
        last = now;
        if rest.is_zero() {
            // Written before the permit is given back.
            return tell_at(now, &format!("end {call}"));
        }
    }
}

async fn tell_shares(limiters: Vec<Db>) {
    let mut told = HashSet::new();
    loop {
        for db in &limiters {
            let snapshot = db.snapshot();
            for warning in snapshot.warnings {
                if told.insert(warning.clone()) {
                    tell(&format!("warning {warning}"));
                }
            }
            let (running, waiting) = (snapshot.total.in_use, snapshot.total.waiting);
            let ledgers = snapshot.fleet.into_iter().flat_map(|figures| figures.ledgers);
            for ledger in ledgers {
                tell(&format!(
                    "share {} {} {} {} {running} {waiting} {} {}",
                    db.name(),
                    ledger.limit,
                    ledger.limit_here,
                    ledger.share,
                    ledger.nodes,
                    ledger.learning
                ));
            }
        }
        sleep(10 * LOOK).await;
    }
}

fn tell(line: &str) {
    tell_at(fleet::now(), line);
}

fn tell_at(time: Duration, line: &str) {
    // In one piece: the process may be killed. Nobody reads the lines of one that is left over.
    let _ = std::io::stdout().write_all(format!("{} {line}\n", time.as_micros()).as_bytes());
}

fn read_commands() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).expect("a number")
}
