//! The options: one row each.

use super::Written;
use proc_macro2::Ident;
use syn::{Error, Expr, ExprLit, Lit, Result};

/// One option of the attribute.
pub(super) struct OptionRule {
    pub(super) name: &'static str,
    /// How it is written, for messages.
    pub(super) example: &'static str,
    /// The options (or [`LIMIT`]) that cannot stand beside it, whichever comes first.
    pub(super) excludes: &'static [&'static str],
    /// Checks the value and keeps it.
    pub(super) set: fn(&mut Written, Expr) -> Result<()>,
}

/// Stands for the limit in [`OptionRule::excludes`].
pub(super) const LIMIT: &str = "LIMIT";

pub(super) const OPTIONS: [OptionRule; 5] = [
    OptionRule {
        name: "name",
        example: "name = \"…\"",
        excludes: &[],
        set: |written, value| string("name", &value).map(|name| written.name = Some(name)),
    },
    OptionRule {
        name: "scope",
        example: "scope = process",
        excludes: &[],
        set: |written, value| scope(&value).map(|process| written.shared_by_process = process),
    },
    OptionRule {
        name: "limiter",
        example: "limiter = LIMITER",
        excludes: &[LIMIT, "name", "scope", "env"],
        set: |written, value| {
            written.limiter = Some(value);
            Ok(())
        },
    },
    OptionRule {
        name: "env",
        example: "env = \"VAR\"",
        excludes: &[],
        set: |written, value| variable(&value).map(|env| written.env = Some(env)),
    },
    OptionRule {
        name: "crate",
        example: "crate = path::to::limit_runtime",
        excludes: &[],
        set: |written, value| path(&value).map(|runtime| written.runtime = Some(runtime)),
    },
];

/// How a message calls an option, or the limit.
pub(super) fn quoted(name: &str) -> String {
    if name == LIMIT { String::from("a limit") } else { format!("`{name}`") }
}

/// The list of options, for messages.
pub(super) fn known() -> String {
    let names: Vec<_> = OPTIONS.iter().map(|rule| format!("`{}`", rule.name)).collect();
    format!("known options: {}", names.join(", "))
}

/// An option that is not in the table.
pub(super) fn unknown(key: &Ident) -> Error {
    let name = key.to_string();
    if ["limit", "max", "permits"].contains(&name.as_str()) {
        let message = "the limit has no name: write `#[concurrency_limit(3)]`";
        return Error::new_spanned(key, message);
    }
    let near = OPTIONS
        .iter()
        .map(|rule| (distance(&name, rule.name), rule))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance);
    let hint =
        near.map_or(String::new(), |(_, rule)| format!(" (did you mean `{}`?)", rule.example));
    Error::new_spanned(key, format!("unknown option `{name}`{hint}; {}", known()))
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

/// Looks through parentheses and the invisible groups that `macro_rules!` puts around fragments.
pub(crate) fn bare(mut value: &Expr) -> &Expr {
    loop {
        value = match value {
            Expr::Group(group) if group.attrs.is_empty() => &group.expr,
            Expr::Paren(paren) if paren.attrs.is_empty() => &paren.expr,
            value => return value,
        };
    }
}

/// A string literal, or a macro or constant that makes one.
fn string(option: &str, value: &Expr) -> Result<Expr> {
    match bare(value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().is_empty() => {
            Err(Error::new_spanned(text, format!("`{option}` must not be empty")))
        }
        value @ (Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) | Expr::Macro(_) | Expr::Path(_)) => {
            Ok(value.clone())
        }
        value => {
            Err(Error::new_spanned(value, format!("expected a string: write `{option} = \"…\"`")))
        }
    }
}

/// The name of an environment variable.
fn variable(value: &Expr) -> Result<Expr> {
    let value = string("env", value)?;
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value
        && text.value().contains(['=', '\0'])
    {
        let message = "the name of an environment variable contains neither `=` nor NUL";
        return Err(Error::new_spanned(text, message));
    }
    Ok(value)
}

/// Whether the scope is the process.
fn scope(value: &Expr) -> Result<bool> {
    if let Expr::Path(path) = bare(value) {
        if path.path.is_ident("process") {
            return Ok(true);
        }
        if path.path.is_ident("runtime") {
            return Ok(false);
        }
    }
    Err(Error::new_spanned(value, "a scope is written `scope = runtime` or `scope = process`"))
}

/// The path of the runtime crate.
fn path(value: &Expr) -> Result<syn::Path> {
    match bare(value) {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Err(Error::new_spanned(
            text,
            format!("a path is written without quotes: `crate = {}`", text.value()),
        )),
        value => Err(Error::new_spanned(
            value,
            "expected the path of the `limit_runtime` crate: write `crate = path`",
        )),
    }
}
