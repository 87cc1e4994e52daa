//! The value of `overload`.

use crate::syntax::strip_parens;
use syn::{Error, Expr, Result};

/// Returns the value: a closure with one parameter, or the path of a function. A macro may stand for
/// either.
pub(in crate::args) fn read(value: Expr) -> Result<Expr> {
    let closure = match strip_parens(&value) {
        Expr::Closure(closure) => closure,
        Expr::Path(_) | Expr::Macro(_) => return Ok(value),
        other => {
            return Err(Error::new_spanned(
                other,
                "expected `|output| …`, or the path of a function: it gets a reference to the output of \
                 a call, and gives a `bool` or an `Option<Duration>`",
            ));
        }
    };
    if let Some(asyncness) = closure.asyncness {
        return Err(Error::new_spanned(
            asyncness,
            "leave out `async`: the call is asked when it ends, and the answer is at hand",
        ));
    }
    if closure.inputs.len() != 1 {
        let message =
            "one parameter is expected, a reference to the output: write `overload = |output| …`";
        return Err(if closure.inputs.is_empty() {
            Error::new_spanned(closure, message)
        } else {
            Error::new_spanned(&closure.inputs, message)
        });
    }
    Ok(value)
}
