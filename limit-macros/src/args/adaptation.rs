//! The rules of a limit that adapts, which look at several arguments.

use super::options::{AttributeOption, OptionValue};
use super::per_call::PerCall;
use super::raw_args::RawArgs;
use super::setter_arg::SetterArg;
use super::values::range::RangeArg;
use crate::syntax::strip_parens;
use proc_macro2::{Ident, Span};
use syn::{Error, Expr, ExprLit, Lit, Result};

/// Refuses what contradicts the range of the limit, or of the total, if it adapts. Ends that are no
/// literals are left to the limiter's own checks.
pub(super) fn check(raw: &RawArgs) -> Result<()> {
    let Some(range) = raw.range() else { return Ok(()) };
    if let Some(fleet) = raw.fleet() {
        return Err(Error::new(
            fleet,
            "`scope = fleet` cannot stand beside a range: the processes of a fleet do not adapt \
             together yet; write a number, or leave `scope` out",
        ));
    }
    for given in &raw.options {
        match &given.value {
            OptionValue::Setter(SetterArg::Number(start))
                if given.option == AttributeOption::Start =>
            {
                check_start(start, &given.word, range)?;
            }
            OptionValue::PerCall(PerCall::Weight(weight)) => {
                check_weight(weight, &given.word, range)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_start(start: &Expr, word: &Ident, range: &RangeArg) -> Result<()> {
    let Some((span, start)) = literal(start, word) else { return Ok(()) };
    let problem = match (range.low.value(), range.high.value()) {
        (Some(low), _) if start < low => format!("below the range: write a number from {low} up"),
        (_, Some(high)) if start > high => format!("above the range: the largest is {high}"),
        _ => return Ok(()),
    };
    Err(Error::new(span, format!("`start` is {problem}")))
}

fn check_weight(weight: &Expr, word: &Ident, range: &RangeArg) -> Result<()> {
    match (literal(weight, word), range.low.value()) {
        (Some((span, weight)), Some(low)) if weight > low => Err(Error::new(
            span,
            format!(
                "a call weighs at most the lower end of the range, which is {low}: the limit may go \
                 down to that; write a range from {weight} up"
            ),
        )),
        _ => Ok(()),
    }
}

/// Returns the number, if it is written out, and its place. The token resolves as ours since it was read, and
/// the place as the option's word, the user's.
fn literal(value: &Expr, word: &Ident) -> Option<(Span, usize)> {
    match strip_parens(value) {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
            Some((number.span().resolved_at(word.span()), number.base10_parse().ok()?))
        }
        _ => None,
    }
}
