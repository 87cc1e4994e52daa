//! An option that is the argument of a setter of the function's own limiter.

use super::values::duration::DurationArg;
use super::values::words::{OnDeadlockArg, OnLeaseLostArg, OnUnavailableArg, OrderArg, ScopeArg};
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
    OnUnavailable(OnUnavailableArg),
    OnLeaseLost(OnLeaseLostArg),
    OnDeadlock(OnDeadlockArg),
}

impl SetterArg {
    /// Returns whether no call is refused because of this value, although one can be because of another
    /// value of the option.
    pub(super) fn refuses_no_call(&self) -> bool {
        matches!(
            self,
            Self::OnUnavailable(OnUnavailableArg::Wait | OnUnavailableArg::Local(_))
                | Self::OnLeaseLost(OnLeaseLostArg::Finish)
                | Self::OnDeadlock(OnDeadlockArg::Warn)
        )
    }

    /// Returns the expression that the user writes freely, if there is one.
    pub(super) fn expression(&self) -> Option<&Expr> {
        match self {
            Self::Number(expression)
            | Self::Time(DurationArg::Expression(expression))
            | Self::OnUnavailable(OnUnavailableArg::Local(expression)) => Some(expression),
            // The compiler itself says what is wrong in a string literal, a macro or a path.
            Self::Text(_)
            | Self::Nothing
            | Self::Time(DurationArg::Literal(_))
            | Self::Scope(_)
            | Self::Order(_)
            | Self::OnUnavailable(_)
            | Self::OnLeaseLost(_)
            | Self::OnDeadlock(_) => None,
        }
    }
}
