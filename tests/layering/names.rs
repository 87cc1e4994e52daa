//! The file that defines what a path names.

use crate::tree::Tree;
use std::collections::HashSet;

/// A meaning of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    Module(usize),
    /// An item that is not a module: the module that defines it, and its name. An item that comes
    /// from another crate counts as defined where this crate re-exports it.
    Item(usize, String),
}

/// Looks up a path as it stands in the module, through `use` lines and re-exports.
///
/// The result is empty if the path leads to another crate. It can have several elements, because a
/// name can be a module and a function, and a module can have a twin for another feature.
pub(crate) fn meanings(tree: &Tree, module: usize, path: &[String]) -> Vec<Meaning> {
    Lookup { tree, under_way: HashSet::new() }.path(module, path)
}

struct Lookup<'tree> {
    tree: &'tree Tree,
    /// Names that are being looked up, so that globs in a circle come to an end.
    under_way: HashSet<(usize, String)>,
}

impl Lookup<'_> {
    fn path(&mut self, module: usize, path: &[String]) -> Vec<Meaning> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let start = match first.as_str() {
            "crate" => vec![Meaning::Module(0)],
            "self" => vec![Meaning::Module(module)],
            "super" => self.tree.modules[module].parent.map(Meaning::Module).into_iter().collect(),
            name => self.name(module, name),
        };
        self.each_rest(start, rest)
    }

    /// Goes on from all meanings of the beginning of a path.
    fn each_rest(&mut self, mut meanings: Vec<Meaning>, rest: &[String]) -> Vec<Meaning> {
        let is_module = |meaning: &Meaning| matches!(meaning, Meaning::Module(_));
        if !rest.is_empty() && meanings.iter().any(is_module) {
            // A function or a macro may have the name of a module. Nothing follows on these.
            meanings.retain(is_module);
        }
        meanings.into_iter().flat_map(|meaning| self.rest(meaning, rest)).collect()
    }

    /// Goes on from one meaning of the beginning of a path.
    fn rest(&mut self, meaning: Meaning, rest: &[String]) -> Vec<Meaning> {
        let (Meaning::Module(module), Some((next, rest))) = (&meaning, rest.split_first()) else {
            // A variant, an associated item, or the end.
            return vec![meaning];
        };
        let module = *module;
        let mut found = match next.as_str() {
            "super" => self.tree.modules[module].parent.map(Meaning::Module).into_iter().collect(),
            name => self.name(module, name),
        };
        if found.is_empty() {
            // It is there, or this would not compile: a macro of this module has defined it.
            found.push(Meaning::Item(module, next.clone()));
        }
        self.each_rest(found, rest)
    }

    /// Looks up a name that stands in a module.
    fn name(&mut self, module: usize, name: &str) -> Vec<Meaning> {
        let here = &self.tree.modules[module];
        let mut found: Vec<Meaning> = Vec::new();
        found.extend(here.children.get(name).into_iter().flatten().copied().map(Meaning::Module));
        if here.definitions.contains(name) {
            found.push(Meaning::Item(module, name.to_owned()));
        }
        if !self.under_way.insert((module, name.to_owned())) {
            return found;
        }
        for import in here.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            let mut imported = self.path(module, &import.path);
            if imported.is_empty() {
                imported.push(Meaning::Item(module, name.to_owned()));
            }
            found.append(&mut imported);
        }
        if found.is_empty() {
            for import in here.imports.iter().filter(|import| import.name.is_none()) {
                for meaning in self.path(module, &import.path) {
                    if let Meaning::Module(from) = meaning {
                        found.append(&mut self.name(from, name));
                    }
                }
            }
        }
        self.under_way.remove(&(module, name.to_owned()));
        found.dedup();
        found
    }
}
