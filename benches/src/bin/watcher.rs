//! Measures the watcher's thread: how late it takes grants back, how long it looks at unclaimed grants, and with the
//! feature `observed`, at recorded calls that wait.
//!
//! `cargo run --release -p limit-benches --features observed --bin watcher`, on Linux, which says how long a thread has run.
#![forbid(unsafe_code)]

use clap::Parser;
use limit_runtime::{Limiter, Permit};
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Measures a look of the watcher
#[derive(Debug, Parser)]
struct Arguments {
    /// The limiters
    #[arg(long, default_value_t = 10_000)]
    limiters: usize,
    /// The runtimes. Each limiter is used in one of them
    #[arg(long, default_value_t = 64)]
    runtimes: usize,
    /// Seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

type Call = Pin<Box<dyn Future<Output = Permit>>>;

/// Makes a call behind an unclaimed grant, of a limiter of its own.
fn unclaimed(number: usize) -> (Call, Call) {
    let limiter = Limiter::named(format!("watched-{number}"), 1);
    let limiter: &'static Limiter =
        Box::leak(Box::new(limiter.claim_within(Duration::from_secs(3_600))));
    let context = &mut Context::from_waker(Waker::noop());
    let mut call = || -> Call {
        let mut call: Call = Box::pin(limiter.acquire());
        assert!(call.as_mut().poll(context).is_pending());
        call
    };
    let held = limiter.try_acquire().expect("it is free");
    let both = (call(), call());
    drop(held);
    both
}

/// Spawns tasks on the runtimes: for each limiter one that holds its permit for ever, and one that waits for it. Runs
/// them until they do so.
#[cfg(feature = "observed")]
fn hold_and_wait(limiters: usize, runtimes: &[Runtime]) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static POLLED: AtomicUsize = AtomicUsize::new(0);

    for number in 0..limiters {
        let limiter: &'static Limiter =
            Box::leak(Box::new(Limiter::named(format!("held-{number}"), 1)));
        for _ in 0..2 {
            runtimes[number % runtimes.len()].spawn(async {
                POLLED.fetch_add(1, Ordering::Relaxed);
                let _permit = limiter.acquire().await;
                std::future::pending::<()>().await;
            });
        }
    }
    for runtime in runtimes.iter().cycle() {
        if POLLED.load(Ordering::Relaxed) == 2 * limiters {
            return;
        }
        runtime.block_on(tokio::task::yield_now());
    }
}

/// Returns the directory of the watcher's thread.
fn watcher() -> Option<PathBuf> {
    let mut tasks = fs::read_dir("/proc/self/task").ok()?.filter_map(Result::ok);
    let is_it = |path: &PathBuf| {
        fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "limit-watcher")
    };
    tasks.by_ref().map(|task| task.path()).find(is_it)
}

/// Returns how long a thread has run, in nanoseconds, and how often it was put to sleep.
fn run(task: &Path) -> Option<(u64, u64)> {
    let run = fs::read_to_string(task.join("schedstat")).ok()?;
    let status = fs::read_to_string(task.join("status")).ok()?;
    let sleeps = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    Some((run.split(' ').next()?.parse().ok()?, sleeps.trim().parse().ok()?))
}

/// Measures how much later than `claim_within` a call behind an unclaimed grant is woken. Returns the median and the
/// longest.
fn lateness(times: usize) -> (Duration, Duration) {
    struct Woken(Sender<Instant>);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(Instant::now());
        }
    }

    let within = Duration::from_millis(100);
    let limiter = Limiter::new("late", 1).claim_within(within);
    let mut late: Vec<_> = (0..times)
        .map(|_| {
            let (woken, when) = mpsc::channel();
            let waker = Waker::from(Arc::new(Woken(woken)));
            let held = limiter.try_acquire().expect("it is free");
            let (mut absent, mut next) = (pin!(limiter.acquire()), pin!(limiter.acquire()));
            assert!(absent.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            let granted = Instant::now();
            drop(held);
            let when = when.recv().expect("it is woken");
            (when - granted).saturating_sub(within)
        })
        .collect();
    late.sort();
    (late[times / 2], late[times - 1])
}

fn main() -> ExitCode {
    let Arguments { limiters, runtimes, seconds } = Arguments::parse();
    let (median, longest) = lateness(100);
    println!("taken back {median:.1?} late, at most {longest:.1?} (of 100)");
    let runtimes: Vec<Runtime> =
        (0..runtimes).map(|_| Builder::new_current_thread().build().expect("a runtime")).collect();
    let calls: Vec<_> = (0..limiters)
        .map(|number| {
            let _entered = runtimes[number % runtimes.len()].enter();
            unclaimed(number)
        })
        .collect();
    let is_whole = measure(&format!("{limiters} unclaimed grants"), seconds);
    drop(calls);
    #[cfg(feature = "observed")]
    let is_whole = is_whole && {
        limit_runtime::diagnostics::record(true);
        hold_and_wait(limiters, &runtimes);
        measure(&format!("{limiters} holders and as many waiters"), seconds)
    };
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints how long the watcher runs each time that it wakes up. Returns whether the system says it.
fn measure(what: &str, seconds: u64) -> bool {
    // The first looks find what is new.
    thread::sleep(Duration::from_secs(3));
    let Some(watcher) = watcher() else {
        eprintln!("the system does not say how long a thread has run");
        return false;
    };
    let Some(before) = run(&watcher) else { return false };
    thread::sleep(Duration::from_secs(seconds));
    let Some(after) = run(&watcher) else { return false };
    let (run, wakes) = (after.0 - before.0, after.1 - before.1);
    let each = Duration::from_nanos(run / wakes.max(1));
    println!("{what}: woke up {wakes} times in {seconds} s, {each:.1?} each");
    true
}
