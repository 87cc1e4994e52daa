//! The run: starts the server and the workers, kills one, stops one, and reads what they write.

use crate::intervals::{self, Call, Step};
use crate::redis::Server;
use crate::worker::{self, LIMIT};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// The seconds that a run takes.
pub(crate) const SECONDS: u64 = 15;

const WORKERS: usize = 4;
/// The worker that is killed, and the second in which it is.
const KILLED: usize = 1;
const KILL_AT: u64 = 3;
/// The worker that is stopped, and the seconds in which it is stopped and goes on.
const STOPPED: usize = 2;
const STOP_AT: u64 = 7;
const CONTINUE_AT: u64 = 12;

/// Something that was done to a worker.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: u64,
    pub(crate) text: &'static str,
}

/// All that a run has shown.
pub(crate) struct Run {
    pub(crate) began: u64,
    pub(crate) events: Vec<Event>,
    /// The calls that run with a lease.
    pub(crate) steps: Vec<Step>,
    pub(crate) lost: usize,
}

impl Run {
    /// Returns the most calls that ran at once with a lease.
    pub(crate) fn most_with_a_lease(&self) -> usize {
        self.steps.iter().map(Step::total).max().unwrap_or(0) as usize
    }
}

/// A line that a worker has written.
struct Line {
    worker: usize,
    at: u64,
    text: String,
}

/// All that is known about the workers while they run.
#[derive(Default)]
struct Watch {
    /// The starts of calls that have not ended.
    open: HashMap<(usize, u64), u64>,
    calls: Vec<Call>,
    shares: [Option<Share>; WORKERS],
    /// The times at which workers were killed. Lines that they wrote before may come later.
    killed: [Option<u64>; WORKERS],
    /// The worker that is stopped: its calls do not run.
    stopped: Option<usize>,
    lost: usize,
}

/// The last line of a worker about itself.
#[derive(Clone, Copy)]
struct Share {
    leased: u32,
    running: u32,
    waiting: u32,
}

impl Watch {
    fn read(&mut self, line: &Line) {
        let words: Vec<&str> = line.text.split(' ').collect();
        let worker = line.worker;
        match words[..] {
            ["start", call] => {
                let call = call.parse().expect("a worker numbers its calls");
                self.open.insert((worker, call), line.at);
            }
            ["end", call, lease] => {
                let call: u64 = call.parse().expect("a worker numbers its calls");
                let lost = lease == "lost";
                self.lost += usize::from(lost);
                if let Some(start) = self.open.remove(&(worker, call)) {
                    self.calls.push(Call { worker, start, end: line.at, lost });
                }
            }
            ["share", share, running, waiting] if self.killed[worker].is_none() => {
                let number = |text: &str| text.parse().unwrap_or(0);
                self.shares[worker] = Some(Share {
                    leased: number(share),
                    running: number(running),
                    waiting: number(waiting),
                });
            }
            _ => {}
        }
    }

    /// Ends the calls that have not ended: at the time at which their worker was killed, or now.
    fn end_calls(&mut self, now: u64) {
        for ((worker, _), start) in self.open.drain() {
            let end = self.killed[worker].unwrap_or(now).max(start);
            self.calls.push(Call { worker, start, end, lost: false });
        }
    }

    /// Returns how many calls run at a time, with a lease.
    fn running(&self, at: u64) -> usize {
        let lives = |worker: usize| {
            self.stopped != Some(worker) && self.killed[worker].is_none_or(|killed| at < killed)
        };
        let open = self.open.iter().filter(|((worker, _), start)| **start <= at && lives(*worker));
        let ended =
            self.calls.iter().filter(|call| !call.lost && call.start <= at && at < call.end);
        open.count() + ended.count()
    }
}

fn now() -> u64 {
    u64::try_from(limit_runtime::fleet::now().as_micros()).expect("no machine is up for so long")
}

/// Starts the workers. Their lines come from the receiver.
fn start_workers(url: &str) -> Result<(Vec<Child>, mpsc::UnboundedReceiver<Line>)> {
    let (lines, received) = mpsc::unbounded_channel();
    let program = std::env::current_exe()?;
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let mut child = Command::new(&program)
            .env(worker::URL, url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("the worker's output is piped")?;
        let lines = lines.clone();
        tokio::spawn(async move {
            let mut output = BufReader::new(output).lines();
            while let Ok(Some(line)) = output.next_line().await {
                if let Some((at, text)) = line.split_once(' ') {
                    let at = at.parse().unwrap_or(0);
                    let _ended = lines.send(Line { worker, at, text: text.to_owned() });
                }
            }
        });
        workers.push(child);
    }
    Ok((workers, received))
}

fn signal(worker: &Child, signal: Signal) -> Result<()> {
    let pid = worker.id().context("the worker has ended")?;
    let pid = Pid::from_raw(i32::try_from(pid)?).context("a process id is above 0")?;
    kill_process(pid, signal).context("the worker cannot be signalled")
}

/// Runs all of it, and prints a line each second.
pub(crate) async fn run(seconds: u64) -> Result<Run> {
    let server = Server::start().await?;
    println!("redis-server listens at {}; {WORKERS} workers share a limit of {LIMIT}.", server.url);
    println!("Each cell: calls that run / share, and those that wait.\n");
    println!("   s   worker 0      worker 1      worker 2      worker 3      run now   most");
    // A ledger on a server that is younger than a lease grants nothing yet: the server may have lost a ledger, and
    // its holders go on.
    tokio::time::sleep(worker::LEASE).await;
    let (mut workers, mut lines) = start_workers(&server.url)?;
    let (began, start) = (now(), Instant::now());
    let (mut watch, mut events) = (Watch::default(), Vec::new());
    'seconds: for second in 1..=seconds {
        let until = start + Duration::from_secs(second);
        loop {
            tokio::select! {
                () = sleep_until(until) => break,
                Some(line) = lines.recv() => watch.read(&line),
                _ = tokio::signal::ctrl_c() => break 'seconds,
            }
        }
        print_second(second, &watch);
        let text = match second {
            KILL_AT => {
                workers[KILLED].kill().await?;
                "worker 1 is killed"
            }
            STOP_AT => {
                signal(&workers[STOPPED], Signal::STOP)?;
                "worker 2 is stopped"
            }
            CONTINUE_AT => {
                signal(&workers[STOPPED], Signal::CONT)?;
                "worker 2 goes on"
            }
            _ => continue,
        };
        let at = now();
        println!("       {text}");
        events.push(Event { at, text });
        match second {
            KILL_AT => {
                watch.killed[KILLED] = Some(at);
                watch.shares[KILLED] = None;
            }
            // Its calls do not run while it is stopped. They end as lost, and are counted apart.
            STOP_AT => {
                watch.shares[STOPPED] = None;
                watch.stopped = Some(STOPPED);
            }
            CONTINUE_AT => watch.stopped = None,
            _ => {}
        }
    }
    end(workers, &mut lines, &mut watch).await?;
    let stopped_at =
        events.iter().find(|event| event.text.contains("stopped")).map(|event| event.at);
    let run = summarise(began, events, watch, stopped_at);
    println!(
        "\nAt most {} calls ran at once with a lease. {} calls of the stopped worker had lost theirs.",
        run.most_with_a_lease(),
        run.lost
    );
    Ok(run)
}

/// Ends the workers, and reads the rest of their lines.
async fn end(
    workers: Vec<Child>,
    lines: &mut mpsc::UnboundedReceiver<Line>,
    watch: &mut Watch,
) -> Result<()> {
    for mut worker in workers {
        drop(worker.stdin.take());
        worker.wait().await?;
    }
    while let Some(line) = lines.recv().await {
        watch.read(&line);
    }
    watch.end_calls(now());
    Ok(())
}

fn print_second(second: u64, watch: &Watch) {
    let cells = watch.shares.map(|share| {
        let cell = share.map_or_else(
            || "-".to_owned(),
            |Share { leased, running, waiting }| format!("{running}/{leased} +{waiting}"),
        );
        format!("   {cell:<11}")
    });
    let leased = watch.calls.iter().copied().filter(|call| !call.lost);
    let most = intervals::steps(leased, WORKERS).iter().map(Step::total).max().unwrap_or(0);
    // A little ago, so that the lines of all workers have come.
    let running = watch.running(now().saturating_sub(100_000));
    println!("{second:>4}{} {running:>7} {most:>6}", cells.concat());
}

fn summarise(began: u64, events: Vec<Event>, watch: Watch, stopped_at: Option<u64>) -> Run {
    // A call that lost its lease ran with one until its process was stopped.
    let calls = watch.calls.into_iter().map(|call| match (call.lost, stopped_at) {
        (true, Some(at)) => Call { end: at.max(call.start), ..call },
        _ => call,
    });
    Run { began, events, steps: intervals::steps(calls, WORKERS), lost: watch.lost }
}
