//! The values of options that are not numbers.

use proc_macro2::Ident;
use syn::{Error, Expr, ExprLit, Lit, Result};

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
pub(super) fn string(option: &str, value: &Expr) -> Result<Expr> {
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
pub(super) fn variable(value: &Expr) -> Result<Expr> {
    let value = string("env", value)?;
    match &value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().contains(['=', '\0']) => {
            let message = "the name of an environment variable contains neither `=` nor NUL";
            Err(Error::new_spanned(text, message))
        }
        _ => Ok(value),
    }
}

/// Whether the scope is the process.
pub(super) fn scope(value: &Expr) -> Result<bool> {
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
pub(super) fn path(value: &Expr) -> Result<syn::Path> {
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

/// Whether the newest is served first.
pub(super) fn order(value: &Expr) -> Result<bool> {
    if let Expr::Path(path) = bare(value) {
        if path.path.is_ident("lifo") {
            return Ok(true);
        }
        if path.path.is_ident("fifo") {
            return Ok(false);
        }
    }
    Err(Error::new_spanned(value, "an order is written `order = fifo` or `order = lifo`"))
}

/// What the body calls its permit.
pub(super) fn binding(value: &Expr) -> Result<Ident> {
    let problem = match bare(value) {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => {
            match path.path.get_ident() {
                // `self` and its like are names of something else, also as `r#…`.
                Some(name) if !is_path_keyword(name) => return Ok(name.clone()),
                _ => "the permit is given a name of its own: write `permit = permit`",
            }
        }
        Expr::Infer(_) => {
            "the permit needs a name, by which the body can move it: write `permit = permit`; to \
             hold it while the body runs, leave the option out"
        }
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            "a name is written without quotes: `permit = permit`"
        }
        _ => "the permit is given a name: write `permit = permit`",
    };
    Err(Error::new_spanned(value, problem))
}

fn is_path_keyword(name: &Ident) -> bool {
    ["self", "Self", "super", "crate"].iter().any(|keyword| name == keyword)
}

/// Something of type `bool`.
pub(super) fn boolean(value: Expr) -> Result<Expr> {
    match bare(&value) {
        Expr::Lit(ExprLit { lit: Lit::Bool(_), .. }) => Ok(value),
        Expr::Lit(literal) => Err(Error::new_spanned(
            literal,
            "`enabled` is `true` or `false`: write an expression of type `bool`",
        )),
        Expr::Closure(closure) => Err(Error::new_spanned(
            closure,
            "`enabled` is a `bool`, not a closure: write the expression alone, it is evaluated \
             for each call",
        )),
        _ => Ok(value),
    }
}
