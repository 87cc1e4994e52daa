//! The value of LIMIT: what can be known about it without types.

use super::limit_number::{check_form, read_literal};
use super::range::RangeArg;
use crate::syntax::strip_parens;
use syn::{Expr, ExprLit, Lit, LitInt, Result};

/// The number of permits.
pub(crate) enum LimitArg {
    /// A number from 1 up.
    Literal(LitInt),
    /// An expression of type `usize` that a `static` can name. It is evaluated on first use.
    Expression(Expr),
    /// The range within which the limit finds itself.
    Range(RangeArg),
}

impl LimitArg {
    /// Returns the limit, or an error if its form alone shows that it is none.
    ///
    /// ```text
    /// // before
    /// 3
    ///
    /// // after
    /// 3usize
    /// ```
    pub(in crate::args) fn read(value: &Expr) -> Result<Self> {
        match strip_parens(value) {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
                read_literal(number).map(Self::Literal)
            }
            Expr::Range(range) => RangeArg::read("", range).map(Self::Range),
            _ => check_form(value).map(|()| Self::Expression(value.clone())),
        }
    }
}
