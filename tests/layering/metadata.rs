//! The crates of the workspace, as cargo knows them.

use serde_json::Value;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root file of a library, a program or an example.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) package: String,
    /// From the workspace's directory.
    pub(crate) file: String,
    pub(crate) is_library: bool,
}

/// The directory of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().and_then(Path::parent).expect("two directories up").to_owned()
}

/// The roots of all packages outside `tests/`, without their tests and build scripts.
pub(crate) fn roots() -> Vec<Root> {
    static ROOTS: OnceLock<Vec<Root>> = OnceLock::new();
    ROOTS.get_or_init(ask_cargo).clone()
}

fn ask_cargo() -> Vec<Root> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let mut roots = Vec::new();
    for package in list(&metadata["packages"]) {
        for target in list(&package["targets"]) {
            let kinds: Vec<&str> = list(&target["kind"]).iter().map(text).collect();
            let is_library = kinds.iter().any(|kind| matches!(*kind, "lib" | "proc-macro"));
            let is_program = kinds.iter().any(|kind| matches!(*kind, "bin" | "example"));
            let file = Path::new(text(&target["src_path"]));
            let file = file.strip_prefix(workspace()).expect("members lie in the workspace");
            if (is_library || is_program) && !file.starts_with("tests") {
                let file = file.to_str().expect("a path in UTF-8").replace('\\', "/");
                roots.push(Root { package: text(&package["name"]).to_owned(), file, is_library });
            }
        }
    }
    roots
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("cargo's metadata has a list here")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo's metadata has a string here")
}
