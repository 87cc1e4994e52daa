//! `on_reject = |rejected| expr`.

use super::bare;
use syn::{Error, Expr, Pat, Result, ReturnType, Type};

/// What a function does, and gives, for a call that is refused.
#[derive(Clone)]
pub(crate) struct OnReject {
    /// What the refusal is bound to.
    pub(crate) pattern: Pat,
    /// The type, if it was written.
    pub(crate) type_of: Option<Type>,
    /// Evaluated in the function's place.
    pub(crate) body: Expr,
}

impl OnReject {
    /// Takes the closure apart. It is never made: its body becomes a part of the function, so that it
    /// may await and return.
    pub(super) fn new(value: &Expr) -> Result<Self> {
        let Expr::Closure(closure) = bare(value) else {
            return Err(Error::new_spanned(
                value,
                "expected `|rejected| …`: what the function gives for a call that is refused; to \
                 call a function write `on_reject = |rejected| function(rejected)`",
            ));
        };
        if let Some(asyncness) = closure.asyncness {
            return Err(Error::new_spanned(
                asyncness,
                "leave out `async`: the expression stands in the function itself and may `.await`",
            ));
        }
        if let Some(capture) = closure.capture {
            return Err(Error::new_spanned(
                capture,
                "leave out `move`: the expression stands in the function itself and may move its \
                 arguments",
            ));
        }
        if let ReturnType::Type(_, output) = &closure.output {
            return Err(Error::new_spanned(
                output,
                "leave out the type: the expression gives the function's own value",
            ));
        }
        let mut inputs = closure.inputs.iter();
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            let message =
                "one parameter is expected, the refusal: write `on_reject = |rejected| …`";
            return Err(if closure.inputs.is_empty() {
                Error::new_spanned(closure, message)
            } else {
                Error::new_spanned(&closure.inputs, message)
            });
        };
        let body = (*closure.body).clone();
        Ok(match input {
            Pat::Type(typed) => {
                Self { pattern: (*typed.pat).clone(), type_of: Some((*typed.ty).clone()), body }
            }
            pattern => Self { pattern: pattern.clone(), type_of: None, body },
        })
    }
}
