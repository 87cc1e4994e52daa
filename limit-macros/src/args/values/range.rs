//! A range of limits, `LOW..=HIGH`, within which a limit finds itself.

use super::limit_number::{check_form, read_literal};
use crate::syntax::strip_parens;
use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, Expr, ExprLit, ExprRange, Lit, LitInt, RangeLimits, Result};

/// `Limiter::MAX_LIMIT`.
const MAX_LIMIT: usize = (1 << 31) - 1;

/// The range of a limit that adapts.
pub(crate) struct RangeArg {
    pub(crate) low: RangeEnd,
    pub(crate) high: RangeEnd,
    /// The places of the first and the last token.
    pub(crate) ends: (Span, Span),
}

/// One end of a range.
pub(crate) enum RangeEnd {
    /// A number from 1 up.
    Literal(LitInt),
    /// A constant expression of type `usize`.
    Expression(Expr),
}

impl RangeArg {
    /// Returns the range, or an error if its form alone shows that no limit can adapt within it. `option` is
    /// what stands before the range, for messages: `total = `, or nothing.
    ///
    /// ```text
    /// // before
    /// ..=200
    ///
    /// // after
    /// RangeArg { low: 1usize, high: 200usize }
    /// ```
    pub(in crate::args) fn read(option: &str, range: &ExprRange) -> Result<Self> {
        let low = range.start.as_deref().map(RangeEnd::read).transpose()?;
        let high = range.end.as_deref().map(RangeEnd::read).transpose()?;
        let low = low.unwrap_or_else(RangeEnd::one);
        let Some(high) = high else {
            let example =
                low.value().map_or(200, |low| low.max(20).saturating_mul(10).min(MAX_LIMIT));
            return Err(Error::new_spanned(
                range.limits,
                format!(
                    "a limit that adapts needs a largest one: write `{option}{}..={example}`",
                    low.text("LOW"),
                ),
            ));
        };
        let values = low.value().zip(high.value());
        if let Some((low, high)) = values.filter(|(low, high)| low > high) {
            return Err(Error::new_spanned(
                range,
                format!("the lower limit goes first: write `{option}{high}..={low}`"),
            ));
        }
        if let RangeLimits::HalfOpen(dots) = range.limits {
            let high = match values {
                Some((low, high)) if high > low + 1 => (high - 1).to_string(),
                _ => high.text("HIGH"),
            };
            return Err(Error::new_spanned(
                dots,
                format!(
                    "the range of a limit names the largest one: write `{option}{}..={high}`",
                    low.text("LOW"),
                ),
            ));
        }
        match values {
            Some((low, high)) if low == high => Err(Error::new_spanned(
                range,
                format!("a range of one number does not adapt: write `{option}{low}`"),
            )),
            _ => {
                let mut spans = range.to_token_stream().into_iter().map(|token| token.span());
                let first = spans.next().unwrap_or_else(Span::call_site);
                Ok(Self { low, high, ends: (first, spans.last().unwrap_or(first)) })
            }
        }
    }

    /// Returns the expressions that a `static` evaluates and the user writes freely.
    pub(in crate::args) fn expressions(&self) -> Vec<&Expr> {
        let ends = [&self.low, &self.high];
        ends.iter().filter_map(|end| end.expression()).collect()
    }
}

impl RangeEnd {
    /// Returns the lower end of a range that does not name it.
    fn one() -> Self {
        Self::Literal(LitInt::new("1usize", Span::mixed_site()))
    }

    fn read(end: &Expr) -> Result<Self> {
        let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = strip_parens(end) else {
            check_form(end)?;
            return Ok(Self::Expression(end.clone()));
        };
        match number.base10_parse::<usize>() {
            Ok(0) => Err(Error::new_spanned(
                number,
                "a limit of 0 would never admit a call: write a range from 1 up, such as `1..=200`",
            )),
            Ok(value) if value <= MAX_LIMIT => read_literal(number).map(Self::Literal),
            _ => {
                let message = format!("this limit is too large: the largest is {MAX_LIMIT}");
                Err(Error::new_spanned(number, message))
            }
        }
    }

    /// Returns the number, if it is written out.
    pub(in crate::args) fn value(&self) -> Option<usize> {
        match self {
            Self::Literal(number) => number.base10_parse().ok(),
            Self::Expression(_) => None,
        }
    }

    fn expression(&self) -> Option<&Expr> {
        match self {
            Self::Literal(_) => None,
            Self::Expression(end) => Some(end),
        }
    }

    /// Returns the end as the user writes it, or `other` in place of an expression that is no name.
    fn text(&self, other: &str) -> String {
        match self {
            Self::Literal(number) => String::from(number.base10_digits()),
            Self::Expression(end) => match strip_parens(end) {
                Expr::Path(path) if path.qself.is_none() => {
                    path.to_token_stream().to_string().replace(' ', "")
                }
                _ => String::from(other),
            },
        }
    }
}
