//! An option that is the argument of a setter of the function's own limiter.

use super::values::duration::DurationArg;
use super::values::range::RangeArg;
use super::values::words::{
    FavorArg, OnDeadlockArg, OnLeaseLostArg, OnUnavailableArg, OrderArg, ScopeArg,
};
use syn::Expr;

/// The argument of a setter.
pub(crate) enum SetterArg {
    Nothing,
    /// A number, of type `usize`.
    Number(Expr),
    /// A range of numbers of type `usize`.
    Range(RangeArg),
    /// Shares, of a type that is `&'static [Share]`.
    Shares(Expr),
    /// A string literal, or an expression that stands for one.
    Text(Expr),
    Time(DurationArg),
    Scope(ScopeArg),
    Order(OrderArg),
    Favor(FavorArg),
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

    /// Returns the expressions that the user writes freely.
    pub(super) fn expressions(&self) -> Vec<&Expr> {
        match self {
            Self::Number(expression)
            | Self::Shares(expression)
            | Self::Time(DurationArg::Expression(expression))
            | Self::OnUnavailable(OnUnavailableArg::Local(expression)) => vec![expression],
            Self::Range(range) => range.expressions(),
            // The compiler itself says what is wrong in a string literal, a macro or a path.
            Self::Text(_)
            | Self::Nothing
            | Self::Time(DurationArg::Literal(_))
            | Self::Scope(_)
            | Self::Order(_)
            | Self::Favor(_)
            | Self::OnUnavailable(_)
            | Self::OnLeaseLost(_)
            | Self::OnDeadlock(_) => Vec::new(),
        }
    }
}
