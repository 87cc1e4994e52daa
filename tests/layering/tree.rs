//! The modules of a crate, read from its root file.

use crate::cfg::{attributes_of_item, is_left_out};
use std::collections::{HashMap, HashSet};
use syn::{Attribute, Expr, ExprLit, Item, ItemUse, Lit, Meta, UseTree, Visibility};

/// A crate's files and modules.
#[derive(Default)]
pub(crate) struct Tree {
    /// Paths from the workspace's directory. The first is the root.
    pub(crate) files: Vec<String>,
    /// The first is the root.
    pub(crate) modules: Vec<Module>,
}

/// A module, in a file of its own or inline.
pub(crate) struct Module {
    /// The index of the file.
    pub(crate) file: usize,
    pub(crate) parent: Option<usize>,
    /// By name. There can be several: each for another feature.
    pub(crate) children: HashMap<String, Vec<usize>>,
    /// The names of the items that are defined here, except modules.
    pub(crate) definitions: HashSet<String>,
    pub(crate) imports: Vec<Import>,
    /// All items but modules and `use` lines.
    pub(crate) items: Vec<Item>,
}

/// A name that a `use` line brings.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// The name here. `None` is a glob.
    pub(crate) name: Option<String>,
    /// The path, without the star of a glob.
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// `true` if others than this module and its children see the name.
    pub(crate) is_export: bool,
}

/// Reads a file by its path from the workspace's directory. `None` if there is none.
pub(crate) type Read<'read> = &'read dyn Fn(&str) -> Option<String>;

/// A module that has its place in the tree, but whose items are not in it yet.
struct Opened {
    module: usize,
    items: Vec<Item>,
    /// The directory of the file.
    beside: String,
    /// The directory in which the files of child modules lie.
    below: String,
    is_inline: bool,
}

impl Tree {
    /// Reads the crate with this root file.
    ///
    /// # Errors
    ///
    /// Fails if a file is missing or is not Rust, with the file's name.
    pub(crate) fn read(root: &str, read: Read<'_>) -> Result<Self, String> {
        let mut tree = Self::default();
        let items = tree.open_file(root, read)?;
        let beside = directory(root).to_owned();
        let module = tree.add_module(None, 0);
        let mut open =
            vec![Opened { module, items, below: beside.clone(), beside, is_inline: false }];
        while let Some(opened) = open.pop() {
            tree.fill(opened, read, &mut open)?;
        }
        Ok(tree)
    }

    fn open_file(&mut self, path: &str, read: Read<'_>) -> Result<Vec<Item>, String> {
        let text = read(path).ok_or_else(|| format!("{path}: no such file"))?;
        let file = syn::parse_file(&text)
            .map_err(|error| format!("{path}:{}: {error}", error.span().start().line))?;
        self.files.push(path.to_owned());
        Ok(file.items)
    }

    fn add_module(&mut self, parent: Option<usize>, file: usize) -> usize {
        self.modules.push(Module {
            file,
            parent,
            children: HashMap::new(),
            definitions: HashSet::new(),
            imports: Vec::new(),
            items: Vec::new(),
        });
        self.modules.len() - 1
    }

    /// Sorts the items into the module, and opens its child modules.
    fn fill(
        &mut self,
        opened: Opened,
        read: Read<'_>,
        open: &mut Vec<Opened>,
    ) -> Result<(), String> {
        let Opened { module, items, beside, below, is_inline } = opened;
        for item in items {
            if is_left_out(attributes_of_item(&item)) {
                continue;
            }
            match item {
                Item::Use(line) => self.modules[module].imports.extend(imports(&line)),
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let inside = format!("{below}/{name}");
                    let opened = if let Some((_, items)) = child.content {
                        let file = self.modules[module].file;
                        let module = self.add_module(Some(module), file);
                        let beside = beside.clone();
                        Opened { module, items, beside, below: inside, is_inline: true }
                    } else {
                        let path = file_path(&child.attrs).map(|path| {
                            // As the reference says of `path`: inside inline modules it begins
                            // where their files would lie, otherwise beside the file.
                            let start = if is_inline { &below } else { &beside };
                            normalised(&format!("{start}/{path}"))
                        });
                        let given = path.is_some();
                        let (plain, nested) = (format!("{inside}.rs"), format!("{inside}/mod.rs"));
                        let path = path
                            .unwrap_or_else(|| if read(&plain).is_some() { plain } else { nested });
                        let items = self.open_file(&path, read)?;
                        let module = self.add_module(Some(module), self.files.len() - 1);
                        let beside = directory(&path).to_owned();
                        let below = if given { beside.clone() } else { inside };
                        Opened { module, items, beside, below, is_inline: false }
                    };
                    self.modules[module].children.entry(name).or_default().push(opened.module);
                    open.push(opened);
                }
                item => {
                    self.modules[module].definitions.extend(defined_name(&item));
                    self.modules[module].items.push(item);
                }
            }
        }
        Ok(())
    }

    /// Returns `true` if the module lies below the other, at any depth.
    pub(crate) fn is_below(&self, module: usize, other: usize) -> bool {
        let mut above = self.modules[module].parent;
        while let Some(parent) = above {
            if parent == other {
                return true;
            }
            above = self.modules[parent].parent;
        }
        false
    }
}

/// The names that a `use` line brings.
pub(crate) fn imports(line: &ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    if line.leading_colon.is_none() {
        let is_export = match &line.vis {
            Visibility::Public(_) => true,
            Visibility::Restricted(restricted) => !restricted.path.is_ident("self"),
            Visibility::Inherited => false,
        };
        flatten(&line.tree, &mut Vec::new(), is_export, &mut found);
    }
    found
}

fn flatten(tree: &UseTree, path: &mut Vec<String>, is_export: bool, found: &mut Vec<Import>) {
    let mut leaf = |name: Option<String>, path: Vec<String>, line: usize| {
        found.push(Import { name, path, line, is_export });
    };
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            flatten(&part.tree, path, is_export, found);
            path.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, is_export, found);
            }
        }
        UseTree::Glob(glob) => leaf(None, path.clone(), line(glob.star_token.spans[0])),
        UseTree::Name(name) if name.ident == "self" => {
            leaf(path.last().cloned(), path.clone(), line(name.ident.span()));
        }
        UseTree::Name(name) => {
            let ident = name.ident.to_string();
            let path = path.iter().cloned().chain([ident.clone()]).collect();
            leaf(Some(ident), path, line(name.ident.span()));
        }
        UseTree::Rename(rename) => {
            let ident = rename.ident.to_string();
            let end = (ident != "self").then_some(ident);
            let path = path.iter().cloned().chain(end).collect();
            leaf(Some(rename.rename.to_string()), path, line(rename.rename.span()));
        }
    }
}

/// The line at which something begins, from 1.
pub(crate) fn line(span: proc_macro2::Span) -> usize {
    span.start().line
}

/// The name that an item gives to its module.
pub(crate) fn defined_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// The value of `#[path = "…"]`.
fn file_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

fn directory(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Takes `.` and `..` out of a path.
fn normalised(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
