//! Imports go one way: no file imports from a layer above its own, and no files import each other in
//! a circle.
//!
//! The test reads the sources of all crates of the workspace but its tests. An *arrow* leads from the
//! file in which a path stands to the file that defines what the path names. Paths are those of `use`
//! lines, of code, and of what stands inside macros. A name is followed through re-exports, so an
//! import through `lib.rs` is an arrow to the file behind it. The methods that a file calls on values
//! make no arrow, because the syntax does not tell whose they are.
//!
//! * A module that re-exports from the modules below it is their *face*: such a line is no arrow.
//! * A module that uses its child is an arrow to the child, and a child that uses a definition of its
//!   parent is an arrow to the parent. Both together are a circle.
//! * Items under `#[cfg(test)]` and `#[cfg(limit_loom)]` are left out.
//!
//! The order of the layers stands in `layers.rs`.

mod arrows;
mod cfg;
mod circles;
mod layers;
mod made_up;
mod metadata;
mod names;
mod order;
mod tree;
mod words;

use layers::{ORDERS, PRIVATE};
use metadata::{Root, roots, workspace};
use std::collections::HashSet;
use std::fs;
use tree::Tree;

/// Reads a root and the files of its modules from the disk.
fn read(root: &Root) -> Tree {
    let read = |path: &str| fs::read_to_string(workspace().join(path)).ok();
    Tree::read(&root.file, &read).unwrap_or_else(|error| panic!("{error}"))
}

/// Fails with what was found, if anything, once each: the targets of one package can share files.
fn assert_none(mut found: Vec<String>) {
    let mut seen = HashSet::new();
    found.retain(|one| seen.insert(one.clone()));
    assert!(found.is_empty(), "{} found\n\n{}\n", found.len(), found.join("\n\n"));
}

#[test]
fn no_import_goes_up() {
    let mut found = Vec::new();
    for (package, order) in ORDERS {
        let root = roots().into_iter().find(|root| root.package == *package && root.is_library);
        let root = root.unwrap_or_else(|| panic!("the workspace has no library {package}"));
        let tree = read(&root);
        found.extend(order::violations(&tree, &arrows::arrows(&tree), order));
    }
    assert_none(found);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    /// Circles shown of each crate, the shortest first. One import can be part of many.
    const SHOWN: usize = 12;

    let mut found = Vec::new();
    for root in roots() {
        let tree = read(&root);
        let mut circles = circles::circles(&tree, &arrows::arrows(&tree));
        let more = circles.len().saturating_sub(SHOWN);
        circles.truncate(SHOWN);
        found.extend(circles);
        if more > 0 {
            found.push(format!("{more} more circles in the crate of {}", root.file));
        }
    }
    assert_none(found);
}

#[test]
fn integrations_use_the_public_api_alone() {
    let mut found = Vec::new();
    for root in roots().iter().filter(|root| root.file.starts_with("integrations/")) {
        found.extend(arrows::mentions(&read(root), "limit_runtime", PRIVATE));
    }
    assert_none(found);
}
