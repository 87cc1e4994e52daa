//! Runs a program of the examples.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use crate::Result;

/// The time for which a test waits for a program's next line.
const PATIENCE: Duration = Duration::from_mins(2);

/// A program that is about to start.
pub(crate) struct Program(Command);

/// A program that runs.
pub(crate) struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
    errors: BufReader<ChildStderr>,
}

/// The end of a program: its exit code, and the rest of its output that nobody had read before.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Program {
    /// Returns the program at this path.
    pub(crate) fn new(path: &str) -> Self {
        let mut command = Command::new(path);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Self(command)
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn start(mut self) -> Result<Running> {
        let mut child = self.0.spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let errors = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        Ok(Running { child, output, errors })
    }

    pub(crate) async fn run(self) -> Result<End> {
        self.start()?.end().await
    }
}

impl Running {
    /// Sends SIGINT to the program, as Ctrl-C in a terminal does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) -> Result {
        self.signal("-INT")
    }

    /// Sends SIGTERM to the program, as a supervisor does to stop it.
    #[cfg(unix)]
    pub(crate) fn terminate(&self) -> Result {
        self.signal("-TERM")
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) -> Result {
        let id = self.child.id().ok_or("it has ended already")?.to_string();
        let status = std::process::Command::new("kill").args([signal, &id]).status()?;
        if status.success() { Ok(()) } else { Err("kill failed".into()) }
    }

    /// Returns the next line that the program writes to stderr.
    pub(crate) async fn next_error(&mut self) -> Result<String> {
        let mut line = String::new();
        self.errors.read_line(&mut line).await?;
        Ok(line.trim_end().to_owned())
    }

    /// Reads the program's stdout up to the first line that contains this text, and returns that
    /// line.
    pub(crate) async fn until_says(&mut self, text: &str) -> Result<String> {
        let mut all = String::new();
        loop {
            let before = all.len();
            let Ok(read) = timeout(PATIENCE, self.output.read_line(&mut all)).await else {
                return Err(format!("it has not said {text:?} yet, but:\n{all}").into());
            };
            if read? == 0 {
                return Err(format!("it never said {text:?}, but:\n{all}").into());
            }
            if all[before..].contains(text) {
                return Ok(all.split_off(before));
            }
        }
    }

    /// Waits until the program ends.
    pub(crate) async fn end(mut self) -> Result<End> {
        let (mut output, mut errors) = (String::new(), String::new());
        tokio::try_join!(
            self.output.read_to_string(&mut output),
            self.errors.read_to_string(&mut errors),
        )?;
        let code = self.child.wait().await?.code();
        Ok(End { code, output, errors })
    }
}
