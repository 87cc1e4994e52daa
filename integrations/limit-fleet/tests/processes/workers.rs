//! Starting workers, and waiting for what they do.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use limit_runtime::fleet;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::calls::{Log, Micros, Share, Which, most_at_once};
use crate::servers::send_signal;
use crate::waiting::until;
use crate::worker::VARIABLE;

/// The limiter of a worker that is told of no other.
pub(crate) const DB: &str = "db";
/// The limit.
pub(crate) const N: usize = 10;
/// The lease, and with it T, in microseconds.
pub(crate) const LEASE: Micros = 2_000_000;

/// Returns the present time on the clock of the logs.
pub(crate) fn now() -> Micros {
    u64::try_from(fleet::now().as_micros()).expect("no machine is up for so long")
}

/// A process of a fleet. It is killed with this value.
pub(crate) struct Worker {
    child: Child,
    input: ChildStdin,
    log: Arc<Mutex<Log>>,
    reader: Option<JoinHandle<()>>,
    /// The time since which it is stopped.
    stopped: Option<Micros>,
    ended: bool,
}

impl Worker {
    /// Starts a worker with more calls than the limit, unless `settings` say something else.
    pub(crate) fn start(url: &str, settings: &Value) -> Self {
        let mut all = json!({
            "url": url,
            "limiters": [DB],
            "limit": N,
            "lease": LEASE / 1000,
            "tasks": 12,
            "body": 25,
            "calls": "wait",
            "starts": true,
            "lazily": false,
        });
        for (name, value) in settings.as_object().expect("settings") {
            assert!(all.get(name).is_some(), "no setting: {name}");
            all[name] = value.clone();
        }
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .env(VARIABLE, all.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a worker");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let log = Arc::<Mutex<Log>>::default();
        let lines = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).read(&line);
            }
        });
        Self { child, input, log, reader: Some(reader), stopped: None, ended: false }
    }

    /// Starts some that are equal.
    pub(crate) fn start_all(count: usize, url: &str, settings: &Value) -> Vec<Self> {
        (0..count).map(|_| Self::start(url, settings)).collect()
    }

    /// Stops all its threads. Returns the time.
    pub(crate) fn stop(&mut self) -> Micros {
        let at = now();
        self.stopped.get_or_insert(at);
        send_signal(&self.child, Signal::STOP);
        at
    }

    /// Lets it go on. Returns the time.
    pub(crate) fn go_on(&mut self) -> Micros {
        let at = now();
        self.stopped = None;
        send_signal(&self.child, Signal::CONT);
        at
    }

    pub(crate) fn command(&mut self, command: &str) {
        writeln!(self.input, "{command}").expect("the worker reads");
    }

    /// Kills the worker, and reads what it has written before. Returns the time.
    pub(crate) fn kill(&mut self) -> Micros {
        let at = now();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the worker writes lines that can be read");
        }
        if !std::mem::replace(&mut self.ended, true) {
            // It did nothing while it was stopped, and could not tell that its lease was over.
            let last = self.stopped.unwrap_or(at);
            self.log().end(last);
        }
        at
    }

    pub(crate) fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what it last wrote about its share.
    pub(crate) fn share(&self, limiter: &str) -> Option<Share> {
        self.log().shares.get(limiter).copied()
    }

    /// Waits for an event, such as `started`, and returns its time and its text.
    pub(crate) async fn until_event(&self, word: &str) -> (Micros, String) {
        until(word, async || {
            let log = self.log();
            log.events.iter().rev().find(|(_, text)| text.starts_with(word)).cloned()
        })
        .await
    }

    /// Waits until a call begins after `from`. Returns the time.
    pub(crate) async fn until_call(&self, from: Micros) -> Micros {
        until("a call", async || self.log().since(from).map(|call| call.begin).next()).await
    }

    /// Waits until a call is refused after `from`. Returns the reason.
    pub(crate) async fn until_refused(&self, from: Micros) -> String {
        until("a refusal", async || {
            let log = self.log();
            log.refusals.iter().find(|(at, _)| *at >= from).map(|(_, kind)| kind.clone())
        })
        .await
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let (calls, refusals, last) = (log.calls.len(), log.refusals.len(), log.calls.last());
            eprintln!(
                "worker {}: {calls} calls, {refusals} refusals, {:?}, last call {last:?}, {:?}",
                self.child.id(),
                log.shares,
                log.events
            );
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns copies of what workers have written so far.
pub(crate) fn logs<'a>(workers: impl IntoIterator<Item = &'a Worker>) -> Vec<Log> {
    workers.into_iter().map(|worker| worker.log().clone()).collect()
}

/// Waits until so many calls have run at once with a lease after `from`.
pub(crate) async fn until_most(workers: &[&Worker], limiter: &str, most: usize, from: Micros) {
    until(&format!("{most} calls at once"), async || {
        let logs = logs(workers.iter().copied());
        (most_at_once(&logs, limiter, Which::WithLease, from) >= most).then_some(())
    })
    .await;
}

/// Waits until each worker has begun a call after `from`.
pub(crate) async fn until_all_call(workers: &[Worker], from: Micros) {
    for worker in workers {
        worker.until_call(from).await;
    }
}

/// Kills the workers, and returns all that they have written.
pub(crate) fn end(mut workers: Vec<Worker>) -> Vec<Log> {
    for worker in &mut workers {
        worker.kill();
    }
    logs(&workers)
}

/// Fails if more than `limit` calls have ever run at once with a lease.
pub(crate) fn assert_most_with_lease(logs: &[Log], limiter: &str, limit: usize) {
    let most = most_at_once(logs, limiter, Which::WithLease, 0);
    assert!(
        most <= limit,
        "{most} calls of {limiter} ran at once with a lease, the limit is {limit}"
    );
}

/// Fails if more than `limit` calls have ever run at once, with or without a lease.
pub(crate) fn assert_most_in_all(logs: &[Log], limiter: &str, limit: usize) {
    let most = most_at_once(logs, limiter, Which::All, 0);
    assert!(most <= limit, "{most} calls of {limiter} ran at once, the limit is {limit}");
}
