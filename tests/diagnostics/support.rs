//! Compiles programs and reads what the compiler says.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A package in the target directory, one binary a program.
pub(crate) struct Project {
    directory: PathBuf,
}

/// What the compiler said, without the program's name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Diagnostic {
    pub(crate) level: String,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) places: Vec<Place>,
    pub(crate) children: Vec<Diagnostic>,
}

/// Where it said it of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) primary: bool,
    pub(crate) column: u64,
    pub(crate) end: (u64, u64),
    pub(crate) label: String,
}

impl Project {
    /// An empty one.
    pub(crate) fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let programs = directory.join("src/bin");
        if programs.exists() {
            fs::remove_dir_all(&programs).expect("the last run's programs can be removed");
        }
        fs::create_dir_all(&programs).expect("a directory for the programs can be made");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests has a parent");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nlimit-runtime = {{ path = '{}' }}\n\
             tokio = {{ version = \"1\", features = [\"rt\"] }}\n\n[workspace]\n",
            root.join("limit-runtime").display()
        );
        fs::write(directory.join("Cargo.toml"), manifest).expect("a manifest can be written");
        fs::copy(root.join("Cargo.lock"), directory.join("Cargo.lock"))
            .expect("the workspace has a lock file");
        Self { directory }
    }

    /// Adds a program.
    pub(crate) fn add(&mut self, name: &str, source: &str) {
        let source = source.replacen(
            "use limit_runtime::concurrency_limit;",
            "#[allow(unused_imports)] use limit_runtime::concurrency_limit;",
            1,
        );
        let file = self.directory.join("src/bin").join(format!("{name}.rs"));
        fs::write(file, source).expect("a program can be written");
    }

    /// Compiles all programs; says what the compiler said of each.
    pub(crate) fn check(self) -> BTreeMap<String, Vec<Diagnostic>> {
        let output = Command::new(env!("CARGO"))
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("diagnostics"))
            .env_remove("RUSTFLAGS")
            .args(["clippy", "--offline", "--keep-going", "--message-format=json", "--"])
            .args(["-Wclippy::pedantic", "-Wclippy::nursery", "-Wunused"])
            // A limited function does await something: its permit.
            .arg("-Aclippy::unused_async")
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
            // How many errors there were follows from the others.
            if !diagnostic.message.starts_with("aborting due to") && !diagnostic.places.is_empty() {
                said.entry(program).or_default().push(diagnostic);
            }
        }
        assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        said
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
                .collect(),
        }
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
