//! The contenders, and how each is started.

use std::fs::{create_dir_all, remove_dir_all};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::ValueEnum;

use crate::plan::Plan;

const PYTHON: &str = include_str!("asyncio.py");
const NODE: &str = include_str!("p_limit.mjs");

/// A contender of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// `#[concurrency_limit]`, tokio's `current_thread` runtime
    Ours,
    /// `#[concurrency_limit]`, tokio's `multi_thread` runtime with two workers
    OursMulti,
    /// A decorator around a semaphore of asyncio, asyncio's own event loop
    Asyncio,
    /// The same decorator, the event loop of uvloop
    Uvloop,
    /// p-limit on Node
    PLimit,
}

impl Contender {
    pub(crate) const ALL: [Self; 5] =
        [Self::Ours, Self::OursMulti, Self::Asyncio, Self::Uvloop, Self::PLimit];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursMulti => "ours-multi",
            Self::Asyncio => "asyncio",
            Self::Uvloop => "uvloop",
            Self::PLimit => "p-limit",
        }
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Ours => "`#[concurrency_limit]` on tokio's current_thread runtime: one thread",
            Self::OursMulti => {
                "`#[concurrency_limit]` on tokio's multi_thread runtime: two workers"
            }
            Self::Asyncio => "a decorator around an `asyncio.Semaphore`, `asyncio.run`: one thread",
            Self::Uvloop => "the same decorator, `uvloop.run`: one thread",
            Self::PLimit => "`limitFunction` of p-limit on Node.js: one thread",
        }
    }

    pub(crate) fn ours(self) -> bool {
        matches!(self, Self::Ours | Self::OursMulti)
    }

    /// Returns how to start the contender, or why it cannot start. A missing package is installed
    /// in a folder of its own inside `folder`, where the next run finds it.
    pub(crate) fn launch(self, python: &str, node: &str, folder: &Path) -> Result<Launch, String> {
        match self {
            Self::Ours | Self::OursMulti => {
                let program = std::env::current_exe().map_err(|error| error.to_string())?;
                Ok(Launch::new(program, ["--child", self.name()]))
            }
            Self::Asyncio => {
                asked(Command::new(python).arg("--version"))?;
                // `-I` keeps the user's environment out of Python.
                Ok(Launch::new(python.into(), ["-I", "-c", PYTHON, "asyncio"]))
            }
            Self::Uvloop => {
                Ok(Launch::new(uvloop(python, folder)?, ["-I", "-c", PYTHON, "uvloop"]))
            }
            Self::PLimit => {
                asked(Command::new(node).arg("--version"))?;
                let program = p_limit(folder)?;
                Ok(Launch::new(node.into(), [&program.to_string_lossy()]))
            }
        }
    }
}

/// A program that makes the calls and prints one line.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Launch {
    fn new<const N: usize>(program: PathBuf, arguments: [&str; N]) -> Self {
        Self { program, arguments: arguments.map(str::to_owned).to_vec() }
    }

    /// Starts the program, waits for its end and returns its output. The program warms up with a
    /// tenth of the calls.
    pub(crate) fn run(&self, body: &str, plan: Plan) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(body).env_remove("NODE_OPTIONS");
        command.args([plan.calls, plan.limit, plan.calls / 10].map(|number| number.to_string()));
        asked(&mut command)
    }
}

/// Returns the Python of a virtual environment that has uvloop.
fn uvloop(python: &str, folder: &Path) -> Result<PathBuf, String> {
    let version = asked(Command::new(python).arg("--version"))?;
    // Only characters of a version are used, so that the folder is inside ours whatever was
    // printed.
    let version = version.replace(|letter: char| !letter.is_ascii_digit() && letter != '.', "");
    let environment = folder.join(format!("python-{version}"));
    let inside = environment.join("bin").join("python");
    let import = || asked(Command::new(&inside).args(["-I", "-c", "import uvloop"]));
    if import().is_err() {
        eprintln!("uvloop: installing it in {}", environment.display());
        emptied(&environment)?;
        asked(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
        let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--retries", "1"];
        asked(Command::new(&inside).args(pip).arg("uvloop"))?;
        import()?;
    }
    Ok(inside)
}

/// Writes the program for Node into a folder where it finds p-limit.
fn p_limit(folder: &Path) -> Result<PathBuf, String> {
    let folder = folder.join("node");
    if !folder.join("node_modules/p-limit/package.json").exists() {
        eprintln!("p-limit: installing it in {}", folder.display());
        emptied(&folder)?;
        // The prefix keeps npm from using a `package.json` further up.
        let npm = ["install", "--no-audit", "--no-fund", "--fetch-retries=1", "--prefix"];
        asked(Command::new("npm").args(npm).arg(&folder).arg("p-limit"))?;
    }
    let program = folder.join("p_limit.mjs");
    std::fs::write(&program, NODE).map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(program)
}

/// Makes the folder anew, without the rest of an interrupted run.
fn emptied(folder: &Path) -> Result<(), String> {
    let made = if folder.exists() { remove_dir_all(folder) } else { Ok(()) };
    made.and_then(|()| create_dir_all(folder))
        .map_err(|error| format!("{}: {error}", folder.display()))
}

/// Returns the output of a program. If it cannot run or fails, returns the reason in one line.
fn asked(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("`{program}` is not installed"),
        _ => format!("`{program}` cannot be run: {error}"),
    })?;
    let Output { status, stdout, stderr } = output;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = [stderr, stdout].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Err(format!("`{program}` failed ({status}): {}", reason(&said)))
}

/// Returns the most telling line of a failed program's output: the first that speaks of an error,
/// or else the last. It leaves out pip's warnings of its retries, and the location within Node
/// where an error was thrown.
fn reason(said: &str) -> &str {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.clone().next_back().unwrap_or("without a word");
    let aside = |line: &&str| line.starts_with("node:") || line.starts_with("WARNING:");
    lines.find(|line| line.to_lowercase().contains("error") && !aside(line)).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_in_the_tables_are_those_on_the_command_line() {
        for contender in Contender::ALL {
            let value = contender.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), contender.name());
        }
        assert_eq!(Contender::value_variants(), Contender::ALL);
    }

    #[test]
    fn a_failure_is_told_by_the_line_that_speaks_of_it() {
        let node = "node:internal/errors:496\n\nError: Cannot find package\n\nNode.js v20\n";
        assert_eq!(reason(node), "Error: Cannot find package");
        assert_eq!(reason("WARNING: ConnectionError\nERROR: none found\n"), "ERROR: none found");
        assert_eq!(reason("one\ntwo\n"), "two");
        assert_eq!(reason(""), "without a word");
    }

    #[test]
    fn what_is_not_installed_is_said_in_one_line() {
        let nowhere = Path::new("/nonexistent");
        for contender in [Contender::Asyncio, Contender::Uvloop, Contender::PLimit] {
            let why = contender.launch("no such program", "no such program", nowhere).unwrap_err();
            assert_eq!(why, "`no such program` is not installed");
        }
    }
}
