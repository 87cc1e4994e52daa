//! Errors about options that do not exist.

use super::options::AttributeOption;
use super::other_names;
use crate::syntax::strip_parens;
use proc_macro2::Ident;
use syn::{Error, Expr};

/// Lists the options, for messages.
pub(super) fn list_known() -> String {
    let names: Vec<_> =
        AttributeOption::ALL.iter().map(|option| format!("`{}`", option.rule().name)).collect();
    format!("known options: {}", names.join(", "))
}

/// Returns the error for the option `name`, which does not exist. `value` is the user's, if it can
/// be read. `has_limit` says whether LIMIT or `limiter` stands before.
pub(super) fn unknown_option(name: &Ident, value: Option<&Expr>, has_limit: bool) -> Error {
    let text = name.to_string();
    if let Some(instead) = other_names::instead_of(&text, value, has_limit) {
        return Error::new_spanned(name, format!("unknown option `{text}`: {instead}"));
    }
    let hint = find_near(&text)
        .map_or(String::new(), |option| format!(" (did you mean `{}`?)", option.rule().example));
    Error::new_spanned(name, format!("unknown option `{text}`{hint}; {}", list_known()))
}

/// Returns the error for a value after LIMIT that is a name, as `lifo`, or a name with its value in
/// parentheses, as `timeout("50ms")`. The name is nearly that of an option, or one of another
/// library.
pub(super) fn unknown_word(value: &Expr) -> Option<Error> {
    let (word, value) = match strip_parens(value) {
        Expr::Path(path) => (path.path.get_ident()?, None),
        Expr::Call(call) if call.args.len() == 1 => match &*call.func {
            Expr::Path(path) => (path.path.get_ident()?, call.args.first()),
            _ => return None,
        },
        _ => return None,
    };
    let text = word.to_string();
    let is_meant =
        other_names::instead_of(&text, value, true).is_some() || find_near(&text).is_some();
    is_meant.then(|| unknown_option(word, value, true))
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
