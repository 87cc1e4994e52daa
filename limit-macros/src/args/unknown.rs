//! What is said of an option that is not in the table.

use super::bare;
use super::options::{OPTIONS, OptionRule};
use proc_macro2::Ident;
use syn::{Error, Expr};

/// The list of options, for messages.
pub(super) fn known() -> String {
    let names: Vec<_> = OPTIONS.iter().map(|rule| format!("`{}`", rule.name)).collect();
    format!("known options: {}", names.join(", "))
}

/// An option that is not in the table.
pub(super) fn option(key: &Ident) -> Error {
    let name = key.to_string();
    if ["limit", "max", "permits"].contains(&name.as_str()) {
        let message = "the limit has no name: write `#[concurrency_limit(3)]`";
        return Error::new_spanned(key, message);
    }
    let hint =
        near(&name).map_or(String::new(), |rule| format!(" (did you mean `{}`?)", rule.example));
    Error::new_spanned(key, format!("unknown option `{name}`{hint}; {}", known()))
}

/// A word alone that is nearly an option.
pub(super) fn word(value: &Expr) -> Option<Error> {
    let Expr::Path(path) = bare(value) else {
        return None;
    };
    let word = path.path.get_ident()?;
    near(&word.to_string()).map(|_| option(word))
}

/// The option that a mistyped one is likely to be.
fn near(name: &str) -> Option<&'static OptionRule> {
    OPTIONS
        .iter()
        .map(|rule| (distance(name, rule.name), rule))
        // Of a word of three letters, two that are wrong leave too little.
        .filter(|(distance, rule)| *distance <= 2 && *distance + 1 < rule.name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, rule)| rule)
}

/// How many letters must be put in, left out or replaced to make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
