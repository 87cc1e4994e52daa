//! Files that import each other in a circle.

use crate::arrows::Arrow;
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write;

/// The first import from one file to another.
type Arrows<'arrow> = BTreeMap<usize, BTreeMap<usize, &'arrow Arrow>>;

/// Shortest circles, as paragraphs, the short ones first. Each arrow that is part of a circle is in
/// one of them, so that there is none left when they are all undone.
pub(crate) fn circles(tree: &Tree, arrows: &[Arrow]) -> Vec<String> {
    let mut by_file = Arrows::new();
    for arrow in arrows {
        by_file.entry(arrow.from).or_default().entry(arrow.to).or_insert(arrow);
    }
    let mut found = BTreeSet::new();
    for (&from, targets) in &by_file {
        for &to in targets.keys() {
            if let Some(back) = way(&by_file, to, from) {
                found.insert((back.len(), from_smallest(back)));
            }
        }
    }
    found.iter().map(|(_, circle)| describe(tree, &by_file, circle)).collect()
}

/// The shortest way between two files, with both ends.
fn way(arrows: &Arrows<'_>, start: usize, end: usize) -> Option<Vec<usize>> {
    let mut before = HashMap::from([(start, None)]);
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        if file == end {
            let mut way = vec![end];
            while let Some(previous) = before[way.last().expect("it has the end")] {
                way.push(previous);
            }
            way.reverse();
            return Some(way);
        }
        for &next in arrows.get(&file).into_iter().flat_map(BTreeMap::keys) {
            before.entry(next).or_insert_with(|| {
                queue.push_back(next);
                Some(file)
            });
        }
    }
    None
}

/// Turns a circle so that it begins with its smallest number, and is found once only.
fn from_smallest(mut circle: Vec<usize>) -> Vec<usize> {
    let smallest = (0..circle.len()).min_by_key(|&index| circle[index]).unwrap_or_default();
    circle.rotate_left(smallest);
    circle
}

fn describe(tree: &Tree, arrows: &Arrows<'_>, circle: &[usize]) -> String {
    let mut text = format!("{} files import each other in a circle:", circle.len());
    for (index, from) in circle.iter().enumerate() {
        let arrow = arrows[from][&circle[(index + 1) % circle.len()]];
        let (file, to) = (&tree.files[arrow.from], &tree.files[arrow.to]);
        write!(text, "\n  {file}:{}: `{}` is defined in {to}", arrow.line, arrow.path)
            .expect("a string takes all");
    }
    text.push_str(
        "\nMove what they share into a file below them, or let the upper one hand it to the lower.",
    );
    text
}
