//! An option that is the argument of a setter of the function's own limiter.

use super::values::duration::DurationArg;
use super::values::words::{OrderArg, ScopeArg};
use syn::Expr;

/// The argument of a setter.
pub(crate) enum SetterArg {
    Nothing,
    /// A number, of type `usize`.
    Number(Expr),
    /// A string literal, or an expression that stands for one.
    Text(Expr),
    Time(DurationArg),
    Scope(ScopeArg),
    Order(OrderArg),
}

impl SetterArg {
    /// Returns the expression that the user writes freely, if there is one.
    pub(super) fn expression(&self) -> Option<&Expr> {
        match self {
            Self::Number(expression) | Self::Time(DurationArg::Expression(expression)) => {
                Some(expression)
            }
            // The compiler itself says what is wrong in a string literal, a macro or a path.
            Self::Text(_)
            | Self::Nothing
            | Self::Time(DurationArg::Literal(_))
            | Self::Scope(_)
            | Self::Order(_) => None,
        }
    }
}
