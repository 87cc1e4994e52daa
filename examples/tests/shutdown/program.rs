//! Running the example's program.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::Result;

/// The program while it runs.
pub(crate) struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    errors: ChildStderr,
}

/// How it ended, and what it wrote to stdout and stderr that had not been read before.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Program {
    pub(crate) fn start(args: &[&str]) -> Result<Self> {
        let mut child = Command::new(path())
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let errors = child.stderr.take().ok_or("no stderr")?;
        Ok(Self { child, output, errors })
    }

    /// Where it serves.
    #[cfg(unix)]
    pub(crate) async fn address(&mut self) -> Result<String> {
        let line = self.until_says("serving").await?;
        let (_, after) = line.split_once("http://").ok_or("it says no address")?;
        Ok(after.split('/').next().unwrap_or_default().to_owned())
    }

    /// Reads what it writes to stdout up to a line with this in it, which it returns.
    #[cfg(unix)]
    pub(crate) async fn until_says(&mut self, text: &str) -> Result<String> {
        let mut all = String::new();
        loop {
            let before = all.len();
            if self.output.read_line(&mut all).await? == 0 {
                return Err(format!("it never said {text:?}, but:\n{all}").into());
            }
            if all[before..].contains(text) {
                return Ok(all.split_off(before));
            }
        }
    }

    /// What Ctrl-C in a terminal does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) -> Result {
        let id = self.child.id().ok_or("it has ended already")?.to_string();
        let status = std::process::Command::new("kill").args(["-INT", &id]).status()?;
        if status.success() { Ok(()) } else { Err("kill failed".into()) }
    }

    /// Waits for its end.
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

/// `<target>/<profile>/examples/shutdown`; this test lies in `<target>/<profile>/deps/`.
fn path() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("a test in cargo's target directory");
    let name = format!("shutdown{}", std::env::consts::EXE_SUFFIX);
    let program = profile.join("examples").join(name);
    assert!(
        program.is_file(),
        "{} is missing; build it: cargo build -p limit-examples --examples",
        program.display()
    );
    program
}
