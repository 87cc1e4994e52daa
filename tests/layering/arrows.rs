//! The imports of a crate: from the file where a path stands to the file that defines what it names.

use crate::cfg::{attributes_of_impl_item, attributes_of_item, is_left_out};
use crate::names::{Meaning, meanings};
use crate::tree::{Import, Tree, defined_name, imports, line};
use crate::words::words;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use syn::visit::{self, Visit};
use syn::{
    Attribute, ImplItem, ImplItemFn, Item, ItemFn, ItemMod, ItemUse, Macro, Meta, PatIdent, Path,
    TraitItemFn, TypeParam, Visibility,
};

/// An import of one item.
#[derive(Debug)]
pub(crate) struct Arrow {
    /// The index of the file in which the path stands.
    pub(crate) from: usize,
    /// The index of the file that defines the item.
    pub(crate) to: usize,
    /// The first line with such a path.
    pub(crate) line: usize,
    /// The path as it is written.
    pub(crate) path: String,
    /// The item's name where it is defined.
    pub(crate) item: String,
}

/// All imports between files, one for each item, in the order of files and lines.
pub(crate) fn arrows(tree: &Tree) -> Vec<Arrow> {
    let mut found: Vec<Arrow> = Vec::new();
    for_each_path(tree, &mut |read| {
        for meaning in read.meanings {
            // The name of a module alone takes nothing from it. The paths that begin with it do.
            let Meaning::Item(home, item) = meaning else { continue };
            let (from, to) = (tree.modules[read.module].file, tree.modules[*home].file);
            if from != to {
                let (path, item) = (read.path.join("::"), item.clone());
                found.push(Arrow { from, to, line: read.line, path, item });
            }
        }
    });
    // The `use` line is longer than what follows from it in the same line.
    found.sort_by_key(|arrow| (arrow.from, arrow.line, Reverse(arrow.path.len())));
    let mut seen = HashSet::new();
    found.retain(|arrow| seen.insert((arrow.from, arrow.to, arrow.item.clone())));
    found
}

/// The places that name one of these modules of another crate, each as a sentence.
pub(crate) fn mentions(tree: &Tree, other: &str, modules: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for_each_path(tree, &mut |read| {
        let ([first, second, ..], []) = (read.path, read.meanings) else { return };
        if first == other && modules.contains(&second.as_str()) {
            found.insert(format!(
                "{}:{}: `{}` is not public: use what the documentation of `{other}` shows, or make \
                 it public there",
                tree.files[tree.modules[read.module].file],
                read.line,
                read.path.join("::"),
            ));
        }
    });
    found
}

/// A path as it was read.
struct ReadPath<'path> {
    module: usize,
    path: &'path [String],
    line: usize,
    /// Empty if the path leads to another crate.
    meanings: &'path [Meaning],
}

/// Takes a path that was read.
type Take<'take> = dyn FnMut(&ReadPath<'_>) + 'take;

/// Calls `take` with all paths of a crate but a face's.
fn for_each_path(tree: &Tree, take: &mut Take<'_>) {
    for (index, module) in tree.modules.iter().enumerate() {
        for import in &module.imports {
            import_line(tree, index, import, take);
        }
        let mut visitor = Visitor { tree, module: index, scopes: Vec::new(), take };
        for item in &module.items {
            visitor.visit_item(item);
        }
    }
}

fn import_line(tree: &Tree, module: usize, import: &Import, take: &mut Take<'_>) {
    let mut meanings = meanings(tree, module, &import.path);
    if import.name.is_none() {
        for meaning in &mut meanings {
            if let Meaning::Module(from) = *meaning {
                // A glob takes all that there is.
                *meaning = Meaning::Item(from, String::from("*"));
            }
        }
    }
    if import.is_export {
        let is_own = |meaning: &Meaning| match meaning {
            Meaning::Module(home) | Meaning::Item(home, _) => tree.is_below(*home, module),
        };
        if !meanings.is_empty() {
            meanings.retain(|meaning| !is_own(meaning));
            if meanings.is_empty() {
                return;
            }
        }
    }
    take(&ReadPath { module, path: &import.path, line: import.line, meanings: &meanings });
}

/// The names inside a function that are not the module's: `None` for variables and items of its own,
/// and a path for each `use` line.
type Scope = HashMap<String, Option<Vec<String>>>;

struct Visitor<'tree, 'take> {
    tree: &'tree Tree,
    module: usize,
    scopes: Vec<Scope>,
    take: &'tree mut Take<'take>,
}

impl Visitor<'_, '_> {
    fn path(&mut self, path: Vec<String>, line: usize) {
        let first = path[0].as_str();
        if first == "Self" || (path.len() == 1 && matches!(first, "crate" | "self" | "super")) {
            return;
        }
        let path = match self.scopes.iter().rev().find_map(|scope| scope.get(first)) {
            Some(None) => return,
            Some(Some(prefix)) => prefix.iter().chain(&path[1..]).cloned().collect(),
            None => path,
        };
        let meanings = meanings(self.tree, self.module, &path);
        (self.take)(&ReadPath { module: self.module, path: &path, line, meanings: &meanings });
    }

    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        for word in words(tokens) {
            self.path(word.path, word.line);
        }
    }

    fn inside(&mut self, scope: Scope, visit: impl FnOnce(&mut Self)) {
        self.scopes.push(scope);
        visit(self);
        self.scopes.pop();
    }
}

impl<'ast> Visit<'ast> for Visitor<'_, '_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_left_out(attributes_of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !is_left_out(attributes_of_impl_item(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let scope = Names::collect(|names| visit::visit_item_fn(names, function));
        self.inside(scope, |this| visit::visit_item_fn(this, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        let scope = Names::collect(|names| visit::visit_impl_item_fn(names, function));
        self.inside(scope, |this| visit::visit_impl_item_fn(this, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        let scope = Names::collect(|names| visit::visit_trait_item_fn(names, function));
        self.inside(scope, |this| visit::visit_trait_item_fn(this, function));
    }

    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    /// A `use` line inside a function.
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in imports(item) {
            import_line(self.tree, self.module, &import, self.take);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let names: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.path(names, line(path.segments[0].ident.span()));
        }
        visit::visit_path(self, path);
    }

    /// A name in a pattern that begins with a capital letter is a constant's.
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = pattern.ident.to_string();
        if name.starts_with(char::is_uppercase) {
            self.path(vec![name], line(pattern.ident.span()));
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        visit::visit_macro(self, called);
        self.tokens(called.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    /// `pub(super)` names a module, but takes nothing from it.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Collects the names that a function brings into its own scope.
#[derive(Default)]
struct Names {
    scope: Scope,
}

impl Names {
    fn collect(visit: impl FnOnce(&mut Self)) -> Scope {
        let mut names = Self::default();
        visit(&mut names);
        names.scope
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Use(line) => {
                for import in imports(line) {
                    self.scope.extend(import.name.map(|name| (name, Some(import.path))));
                }
            }
            item => self.scope.extend(defined_name(item).map(|name| (name, None))),
        }
        visit::visit_item(self, item);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = pattern.ident.to_string();
        if !name.starts_with(char::is_uppercase) {
            self.scope.insert(name, None);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_type_param(&mut self, parameter: &'ast TypeParam) {
        self.scope.insert(parameter.ident.to_string(), None);
        visit::visit_type_param(self, parameter);
    }
}
