//! Errors about options that do not exist.

use super::options::AttributeOption;
use crate::syntax::strip_parens;
use proc_macro2::Ident;
use syn::{Error, Expr};

/// Names that users give to LIMIT, which has none.
const NAMES_FOR_THE_LIMIT: [&str; 3] = ["limit", "max", "permits"];

/// Lists the options, for messages.
pub(super) fn list_known() -> String {
    let names: Vec<_> =
        AttributeOption::ALL.iter().map(|option| format!("`{}`", option.rule().name)).collect();
    format!("known options: {}", names.join(", "))
}

/// Returns the error for the option `name`, which does not exist.
pub(super) fn unknown_option(name: &Ident) -> Error {
    let text = name.to_string();
    if NAMES_FOR_THE_LIMIT.contains(&text.as_str()) {
        let message = "the limit has no name: write `#[concurrency_limit(3)]`";
        return Error::new_spanned(name, message);
    }
    let hint = find_near(&text)
        .map_or(String::new(), |option| format!(" (did you mean `{}`?)", option.rule().example));
    Error::new_spanned(name, format!("unknown option `{text}`{hint}; {}", list_known()))
}

/// Returns the error for a word alone that is nearly the name of an option.
pub(super) fn unknown_word(value: &Expr) -> Option<Error> {
    let Expr::Path(path) = strip_parens(value) else {
        return None;
    };
    let word = path.path.get_ident()?;
    find_near(&word.to_string()).map(|_| unknown_option(word))
}

/// Finds the option that a mistyped name is likely to mean.
fn find_near(name: &str) -> Option<AttributeOption> {
    AttributeOption::ALL
        .iter()
        .map(|&option| (edit_distance(name, option.rule().name), option))
        // Two wrong letters of a word of three leave too little to go by.
        .filter(|(distance, option)| *distance <= 2 && *distance + 1 < option.rule().name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, option)| option)
}

/// Counts the letters that must be inserted, deleted or replaced to turn `a` into `b` (the
/// Levenshtein distance).
fn edit_distance(a: &str, b: &str) -> usize {
    // `row[j]` is the distance from the letters of `a` so far to the first `j` letters of `b`.
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
