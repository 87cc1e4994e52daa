//! Imports against the declared order of the layers.

use crate::arrows::Arrow;
use crate::layers::Layer;
use crate::tree::Tree;
use std::collections::HashSet;

/// The imports that do not go down, and the modules without a layer, each as a paragraph.
pub(crate) fn violations(tree: &Tree, arrows: &[Arrow], order: &[Layer]) -> Vec<String> {
    let mut found = Vec::new();
    let mut unknown = HashSet::new();
    for file in 0..tree.files.len() {
        let module = module_of(tree, file);
        if height(order, module).is_none() && unknown.insert(module) {
            found.push(format!(
                "{}: the module `{module}` has no layer. Give it one in tests/layering/layers.rs, \
                 or move the file to the module that it belongs to.",
                tree.files[file],
            ));
        }
    }
    let mut seen = HashSet::new();
    for arrow in arrows {
        let (from, to) = (module_of(tree, arrow.from), module_of(tree, arrow.to));
        let (Some(lower), Some(upper)) = (height(order, from), height(order, to)) else { continue };
        let (file, defined) = (&tree.files[arrow.from], &tree.files[arrow.to]);
        let start = format!("{file}:{}: `{}` is defined in {defined}. ", arrow.line, arrow.path);
        let (below, above) = (order[lower].name, order[upper].name);
        // Twins for different features are told of once.
        if from == to || lower > upper || !seen.insert((arrow.from, to, &arrow.item)) {
            continue;
        }
        if lower < upper {
            found.push(format!(
                "{start}The import goes up: `{from}` is in the layer \"{below}\", and `{to}` is \
                 above it, in \"{above}\". Move what both need into the lower layer, or let the \
                 upper one hand it in, as an argument, a callback or a trait."
            ));
        } else if !order[lower].beside {
            found.push(format!(
                "{start}The import goes sideways: `{from}` and `{to}` are both in the layer \
                 \"{below}\", whose modules know nothing of each other. Move what both need into a \
                 lower layer."
            ));
        }
    }
    found
}

/// The file or folder beside the crate's root that a file belongs to, and `lib` for the root.
fn module_of(tree: &Tree, file: usize) -> &str {
    let root = &tree.files[0];
    let directory = root.rsplit_once('/').map_or("", |(directory, _)| directory);
    if file == 0 {
        return "lib";
    }
    let inside = tree.files[file].strip_prefix(directory).unwrap_or(&tree.files[file]);
    let first = inside.trim_start_matches('/').split('/').next().unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(first)
}

fn height(order: &[Layer], module: &str) -> Option<usize> {
    order.iter().position(|layer| layer.modules.contains(&module))
}
