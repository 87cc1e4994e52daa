//! The worker processes of one run.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::calls::Call;
use crate::job::{Job, VARIABLE};

/// The time within which a worker must say that it is ready, and within which it must end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker process. Dropping it kills it.
pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Worker {
    /// Starts this program as a worker.
    pub(crate) fn start(job: &Job) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(VARIABLE, job.write()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (send, lines) = mpsc::channel();
        let output = child.stdout.take().map(BufReader::new);
        thread::spawn(move || {
            let lines = output.into_iter().flat_map(BufRead::lines).map_while(Result::ok);
            // It fails when nobody reads any more.
            let _unread = lines.into_iter().try_for_each(|line| send.send(line));
        });
        let input = child.stdin.take();
        Ok(Self { child, input, lines })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the worker prints a word.
    pub(crate) fn wait_for(&self, word: &str) -> Result<(), Box<dyn Error>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if line == word => return Ok(()),
                Ok(_) => {}
                Err(_) => return Err(format!("a worker does not say `{word}`").into()),
            }
        }
    }

    /// Lets the worker make calls.
    pub(crate) fn go(&mut self) -> Result<(), Box<dyn Error>> {
        if let Some(input) = &mut self.input {
            input.write_all(b"g")?;
            input.flush()?;
        }
        Ok(())
    }

    /// Asks the worker to end.
    pub(crate) fn stop(&mut self) {
        drop(self.input.take());
    }

    /// Returns the log of a worker that was asked to end.
    pub(crate) fn log(mut self) -> Result<Vec<Call>, Box<dyn Error>> {
        let until = Instant::now() + PATIENCE;
        let mut calls = Vec::new();
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => calls.extend(Call::read(&line)),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return Err("a worker does not end".into()),
            }
        }
        let status = self.child.wait()?;
        if status.success() { Ok(calls) } else { Err(format!("a worker ended: {status}").into()) }
    }

    /// Kills the process.
    pub(crate) fn kill(mut self) -> Result<(), Box<dyn Error>> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It fails if the worker has ended.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Starts a number of workers with one job, each with a seed of its own, and waits until all are ready.
pub(crate) fn start(workers: u32, job: &Job) -> Result<Vec<Worker>, Box<dyn Error>> {
    let seeds = (0..workers).map(|worker| job.seed + u64::from(worker));
    let jobs = seeds.map(|seed| Job { seed, ..job.clone() });
    let crew: Vec<_> = jobs.map(|job| Worker::start(&job)).collect::<Result<_, _>>()?;
    crew.iter().try_for_each(|worker| worker.wait_for("ready"))?;
    Ok(crew)
}

/// Ends all workers, and returns their logs.
pub(crate) fn end(mut crew: Vec<Worker>) -> Result<Vec<Vec<Call>>, Box<dyn Error>> {
    crew.iter_mut().for_each(Worker::stop);
    crew.into_iter().map(Worker::log).collect()
}
