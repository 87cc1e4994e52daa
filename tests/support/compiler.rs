//! Compiles programs and reads what the compiler says.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fmt, fs, io};

/// A package below the target directory with one binary for each program.
#[derive(Debug)]
pub struct Project {
    target: PathBuf,
    directory: PathBuf,
}

/// Returns whether clippy, a component of the toolchain, is missing.
///
/// Says so on the standard error, which a test does not capture.
pub fn is_without_clippy() -> bool {
    let output = Command::new(env!("CARGO")).args(["clippy", "--version"]).output();
    let is_missing = !output.is_ok_and(|output| output.status.success());
    if is_missing {
        let advice = "SKIPPED: lints are compared with clippy: rustup component add clippy";
        let _ = writeln!(io::stderr(), "{advice}");
    }
    is_missing
}

/// Returns the same lines with the attribute's line as a comment.
pub fn without_attribute(source: &str) -> String {
    source.replace("#[concurrency_limit(", "// [concurrency_limit(")
}

/// One message of the compiler, without the program's name.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// `error`, `warning`, `note` or `help`.
    pub level: String,
    /// The code of an error or the name of a lint, empty if there is none.
    pub code: String,
    /// The text.
    pub message: String,
    /// All spans.
    pub places: Vec<Place>,
    /// Notes and suggestions.
    pub children: Vec<Diagnostic>,
}

/// One span of a message: the source code that the message is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The first line, from 1.
    pub line: usize,
    /// The source code on the first line.
    pub text: String,
    /// `true` if this is a primary span.
    pub primary: bool,
    /// The first column, from 1.
    pub column: u64,
    /// The last line and the column after the last.
    pub end: (u64, u64),
    /// The text beside the span, empty if there is none.
    pub label: String,
}

impl Project {
    /// Creates a package without programs. `target` is the value of `CARGO_TARGET_TMPDIR`.
    pub fn new(target: &str, name: &str) -> Self {
        let target = PathBuf::from(target);
        let directory = target.join(name);
        let programs = directory.join("src/bin");
        if programs.exists() {
            fs::remove_dir_all(&programs).expect("the last run's programs can be removed");
        }
        fs::create_dir_all(&programs).expect("a directory for the programs can be made");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests has a parent");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nlimit-runtime = {{ path = '{}' }}\n\
             tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n\n[workspace]\n",
            root.join("limit-runtime").display()
        );
        fs::write(directory.join("Cargo.toml"), manifest).expect("a manifest can be written");
        fs::copy(root.join("Cargo.lock"), directory.join("Cargo.lock"))
            .expect("the workspace has a lock file");
        Self { target, directory }
    }

    /// Adds a program.
    pub fn add(&mut self, name: &str, source: &str) {
        let source = source.replacen(
            "use limit_runtime::concurrency_limit;",
            "#[allow(unused_imports)] use limit_runtime::concurrency_limit;",
            1,
        );
        let file = self.directory.join("src/bin").join(format!("{name}.rs"));
        fs::write(file, source).expect("a program can be written");
    }

    /// Compiles all programs with these options; returns the messages by program.
    pub fn check(self, options: &[String]) -> BTreeMap<String, Vec<Diagnostic>> {
        let output = Command::new(env!("CARGO"))
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", self.target.join("diagnostics"))
            .env_remove("RUSTFLAGS")
            .args(["clippy", "--offline", "--keep-going", "--message-format=json", "--"])
            .args(options)
            .output()
            .expect("cargo can be run");
        let mut said: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let message: Value = serde_json::from_str(line).unwrap_or_default();
            let is_ours = message["target"]["kind"][0] == "bin";
            if message["reason"] != "compiler-message" || !is_ours {
                continue;
            }
            let program = text(&message["target"]["name"]);
            let diagnostic = Diagnostic::read(&message["message"], &program);
            // The number of errors follows from the other messages.
            if !diagnostic.message.starts_with("aborting due to") && !diagnostic.places.is_empty() {
                said.entry(program).or_default().push(diagnostic);
            }
        }
        assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        said
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.level, self.message, self.code)?;
        for place in &self.places {
            write!(f, "\n    {}:{}: {:?}", place.line, place.column, place.text)?;
            if !place.label.is_empty() {
                write!(f, ": {}", place.label)?;
            }
        }
        for child in &self.children {
            write!(f, "\n  {child}")?;
        }
        Ok(())
    }
}

impl Diagnostic {
    fn read(message: &Value, program: &str) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            level: text(&message["level"]),
            code: text(&message["code"]["code"]),
            message: text(&message["message"]).replace(program, "program"),
            places: list(&message["spans"]).iter().map(Place::read).collect(),
            children: list(&message["children"])
                .iter()
                .map(|child| Self::read(child, program))
                .filter(|child| !child.is_about_its_level())
                .collect(),
        }
    }
}

impl Diagnostic {
    /// The compiler names a lint's group, and how to override it, with the lint's first diagnostic only.
    fn is_about_its_level(&self) -> bool {
        self.message.starts_with("`-W ") || self.message.starts_with("to override `-W ")
    }
}

impl Place {
    fn read(span: &Value) -> Self {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let (start, end) = (number(&span["column_start"]), number(&span["column_end"]));
        let line = text(&span["text"][0]["text"]);
        let length = usize::try_from(end.saturating_sub(start)).unwrap_or_default();
        let skipped = usize::try_from(start.saturating_sub(1)).unwrap_or_default();
        Self {
            line: usize::try_from(number(&span["line_start"])).unwrap_or_default(),
            text: line.chars().skip(skipped).take(length).collect(),
            primary: span["is_primary"] == true,
            column: start,
            end: (number(&span["line_end"]), end),
            label: text(&span["label"]),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
