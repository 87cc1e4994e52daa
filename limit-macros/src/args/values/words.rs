//! Values that are words: one of a few, a name, a path, `true` and `false`.

use crate::syntax::strip_parens;
use proc_macro2::Ident;
use syn::{Error, Expr, ExprLit, Lit, Path, Result};

/// The value of `scope`.
#[derive(Clone, Copy)]
pub(crate) enum ScopeArg {
    Runtime,
    Process,
}

/// The value of `order`.
#[derive(Clone, Copy)]
pub(crate) enum OrderArg {
    Fifo,
    Lifo,
}

/// Reads `runtime` or `process`.
pub(in crate::args) fn read_scope(value: &Expr) -> Result<ScopeArg> {
    let scopes = [("runtime", ScopeArg::Runtime), ("process", ScopeArg::Process)];
    read_word(value, scopes, "a scope is written `scope = runtime` or `scope = process`")
}

/// Reads `fifo` or `lifo`.
pub(in crate::args) fn read_order(value: &Expr) -> Result<OrderArg> {
    let orders = [("fifo", OrderArg::Fifo), ("lifo", OrderArg::Lifo)];
    read_word(value, orders, "an order is written `order = fifo` or `order = lifo`")
}

/// Returns the meaning of the word, or an error with `expected`.
fn read_word<T>(value: &Expr, words: [(&str, T); 2], expected: &str) -> Result<T> {
    if let Expr::Path(path) = strip_parens(value) {
        for (word, meaning) in words {
            if path.path.is_ident(word) {
                return Ok(meaning);
            }
        }
    }
    Err(Error::new_spanned(value, expected))
}

/// Reads the path of the runtime crate.
pub(in crate::args) fn read_crate_path(value: &Expr) -> Result<Path> {
    match strip_parens(value) {
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

/// Reads the name that the body gives its permit.
pub(in crate::args) fn read_permit_name(value: &Expr) -> Result<Ident> {
    let problem = match strip_parens(value) {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => {
            match path.path.get_ident() {
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

/// Returns whether `name` cannot name a variable, not even as `r#…`.
fn is_path_keyword(name: &Ident) -> bool {
    ["self", "Self", "super", "crate"].iter().any(|keyword| name == keyword)
}

/// Returns the value of `option`, which each call evaluates to a `bool`.
pub(in crate::args) fn read_bool(option: &str, value: Expr) -> Result<Expr> {
    match strip_parens(&value) {
        Expr::Lit(ExprLit { lit: Lit::Bool(_), .. }) => Ok(value),
        Expr::Lit(literal) => Err(Error::new_spanned(
            literal,
            format!("`{option}` is `true` or `false`: write an expression of type `bool`"),
        )),
        Expr::Closure(closure) => Err(Error::new_spanned(
            closure,
            format!(
                "`{option}` is a `bool`, not a closure: write the expression alone, it is \
                 evaluated for each call"
            ),
        )),
        _ => Ok(value),
    }
}
