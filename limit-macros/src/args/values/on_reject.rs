//! The value of `on_reject`.

use crate::syntax::strip_parens;
use syn::{Error, Expr, Pat, Result, ReturnType, Type};

/// The expression that gives a refused call its value.
pub(crate) struct OnReject {
    /// The pattern that the refusal is bound to.
    pub(crate) pattern: Pat,
    /// The refusal's type, if it is written.
    pub(crate) rejected_type: Option<Type>,
    /// The expression. The function evaluates it in place of its own body.
    pub(crate) body: Expr,
}

impl OnReject {
    /// Takes the closure apart.
    ///
    /// No closure is ever made of it: its body becomes a part of the function, so that the body may
    /// await and return.
    ///
    /// ```text
    /// // before
    /// |rejected: Rejected| fallback(&url, rejected).await
    ///
    /// // after
    /// OnReject {
    ///     pattern: rejected,
    ///     rejected_type: Some(Rejected),
    ///     body: fallback(&url, rejected).await,
    /// }
    /// ```
    pub(in crate::args) fn read(value: &Expr) -> Result<Box<Self>> {
        let Expr::Closure(closure) = strip_parens(value) else {
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
        Ok(Box::new(match input {
            Pat::Type(typed) => Self {
                pattern: (*typed.pat).clone(),
                rejected_type: Some((*typed.ty).clone()),
                body,
            },
            pattern => Self { pattern: pattern.clone(), rejected_type: None, body },
        }))
    }
}
