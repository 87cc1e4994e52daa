//! Writes the shapes a second and a third time, from inside `macro_rules!` wrappers.
//!
//! `as_items` gives each item to a macro as an `item` fragment, `as_body` makes all of them the
//! body of a macro, so that every token carries the macro's hygiene.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let shapes = package.join("../shapes");
    println!("cargo::rerun-if-changed={}", shapes.display());
    fs::write(
        out.join("as_items.rs"),
        modules(&shapes, |items| format!("as_items! {{{items}}}"))?,
    )?;
    let as_body =
        |items: &str| format!("macro_rules! as_body {{ () => {{{items}}} }}\nas_body! {{}}");
    fs::write(out.join("as_body.rs"), modules(&shapes, as_body)?)
}

/// Writes one module for each file, with its items wrapped.
fn modules(shapes: &Path, wrap: impl Fn(&str) -> String) -> io::Result<String> {
    let mut modules = String::new();
    for file in fs::read_dir(shapes)? {
        let path = file?.path();
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // Comments of a module stand before its items, where a macro takes none.
        let source = fs::read_to_string(&path)?;
        let items: Vec<_> = source.lines().filter(|line| !line.starts_with("//!")).collect();
        let items = wrap(&items.join("\n"));
        writeln!(modules, "pub(crate) mod {name} {{\n{items}\n}}").map_err(io::Error::other)?;
    }
    Ok(modules)
}
