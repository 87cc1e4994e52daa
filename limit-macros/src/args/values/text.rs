//! Values that are text.

use crate::syntax::strip_parens;
use syn::{Error, Expr, ExprLit, Lit, Result};

/// Returns the value of `option`: a string literal that is not empty, or a macro or a constant that
/// stands for one.
pub(in crate::args) fn read_string(option: &str, value: &Expr) -> Result<Expr> {
    match strip_parens(value) {
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

/// Returns the value of `option`, which is the name of an environment variable.
pub(in crate::args) fn read_variable(option: &str, value: &Expr) -> Result<Expr> {
    let value = read_string(option, value)?;
    match &value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().contains(['=', '\0']) => {
            let message = "the name of an environment variable contains neither `=` nor NUL";
            Err(Error::new_spanned(text, message))
        }
        _ => Ok(value),
    }
}
