//! The watcher's thread: it is started when there is first something to watch, and rests when there is nothing.
//!
//! One test, because it looks at the threads of the process.

#![cfg(target_os = "linux")]

use limit_runtime::Limiter;
use limit_tests::polling::{permit, served, waiter};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// Returns the directory of the watcher's thread, if there is one.
fn watcher() -> Option<PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").expect("this is Linux");
    let mut tasks = tasks.map(|task| task.expect("it can be read").path());
    tasks.find(|task| {
        fs::read_to_string(task.join("comm")).is_ok_and(|name| name.trim() == "limit-watcher")
    })
}

/// Returns how often a thread has gone to sleep.
fn sleeps(task: &std::path::Path) -> u64 {
    let status = fs::read_to_string(task.join("status")).expect("the thread lives");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.expect("Linux says it").trim().parse().expect("a number")
}

#[test]
fn it_starts_with_the_first_call_behind_an_unclaimed_grant_and_then_rests() {
    let limiter = Limiter::new("watcher", 1).claim_within(Duration::from_millis(5));
    let held = permit(&limiter);
    let mut claimed = waiter(limiter.acquire());
    drop(held);
    let held = served(&mut claimed);
    let (absent, mut next) = (waiter(limiter.acquire()), waiter(limiter.acquire()));
    assert_eq!(watcher(), None, "every grant was claimed");
    drop(held);
    while !next.is_woken() {
        thread::sleep(Duration::from_millis(1));
    }
    let watcher = watcher().expect("it has taken the grant back");
    drop(served(&mut next));
    drop(absent);
    // Two looks may be due still. Then it sleeps until it is woken.
    thread::sleep(Duration::from_millis(600));
    let before = sleeps(&watcher);
    thread::sleep(Duration::from_millis(600));
    assert_eq!(sleeps(&watcher), before, "it sleeps on");
}
