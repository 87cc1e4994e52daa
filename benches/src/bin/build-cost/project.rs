//! A throw-away crate, and how cargo builds it.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use limit_benches::machine::target_directory;
use serde_json::Value;

/// A package in a folder of its own, which is no member of this workspace.
pub(crate) struct Project {
    folder: PathBuf,
}

/// The time that one call of cargo took, and the packages and bytes that it made.
pub(crate) struct Built {
    pub(crate) took: Duration,
    /// The number of packages that were compiled.
    pub(crate) crates: usize,
    /// The program, if there is one.
    pub(crate) program: Option<PathBuf>,
}

impl Project {
    /// Makes the package. `dependencies` is a part of its manifest.
    pub(crate) fn new(name: &str, dependencies: &str) -> io::Result<Self> {
        let folder = target_directory().join("build-cost").join(name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\n{dependencies}\n\n[profile.release]\nstrip = true\n\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock"))?;
        Ok(Self { folder })
    }

    /// Writes a source file, which is then newer than what was made of it.
    pub(crate) fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.folder.join("src").join(file), text)
    }

    /// Removes all that was built.
    pub(crate) fn clean(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.folder.join("target")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Runs cargo with these arguments.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<Built, Box<dyn Error>> {
        let start = Instant::now();
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(arguments)
            .args(["--offline", "--quiet", "--message-format", "json", "--target-dir", "target"])
            .current_dir(&self.folder)
            .env("CARGO_INCREMENTAL", "0")
            .output()?;
        let took = start.elapsed();
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(format!("cargo in {}: {text}", self.folder.display()).into());
        }
        let mut compiled = BTreeSet::new();
        let mut program = None;
        for line in String::from_utf8(output.stdout)?.lines() {
            let message: Value = serde_json::from_str(line)?;
            if message["reason"] == "compiler-artifact" && message["fresh"] == false {
                compiled.insert(message["package_id"].to_string());
                program = message["executable"].as_str().map(PathBuf::from).or(program);
            }
        }
        Ok(Built { took, crates: compiled.len(), program })
    }
}

/// Returns the folder of this workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is a member of a workspace")
}

/// Returns the line of a manifest for our crate.
pub(crate) fn limit_runtime() -> String {
    // A literal string of TOML, in which nothing is escaped.
    format!("limit-runtime = {{ path = '{}' }}", workspace().join("limit-runtime").display())
}
