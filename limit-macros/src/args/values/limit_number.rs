//! A single limit: what can be known about it without types.

use crate::syntax::strip_parens;
use proc_macro2::Span;
use syn::{Error, Expr, ExprLit, Lit, LitInt, Result, UnOp};

/// Refuses an expression whose form alone shows that it is no limit. Literals that are whole numbers have
/// [their own check](read_literal).
pub(super) fn check_form(value: &Expr) -> Result<()> {
    let problem = match strip_parens(value) {
        Expr::Lit(ExprLit { lit: Lit::Int(_), .. }) => return Ok(()),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            "a limit is not negative: write a number from 1 up"
        }
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(_) | Lit::ByteStr(_) | Lit::CStr(_) => {
                "a limit is a number, not a string: write it without quotes; for the \
                     limiter's name write `name = \"…\"`"
            }
            Lit::Float(_) => "a limit is a whole number: write `3`, not `3.0`",
            Lit::Bool(_) => "a limit is a number, not a `bool`: write a number from 1 up",
            _ => "a limit is a number, not a character: write a number from 1 up",
        },
        Expr::Tuple(tuple) if tuple.elems.is_empty() => {
            "a limit is a number, not `()`: write a number from 1 up"
        }
        Expr::Tuple(_) | Expr::Array(_) | Expr::Repeat(_) | Expr::Range(_) => {
            "a limit is a single number: write a number from 1 up"
        }
        Expr::Reference(_) => "a limit is a `usize`, not a reference: leave out the `&`",
        Expr::Closure(_) => {
            "a limit is a number, not a closure: write the expression alone, it is evaluated \
                 on first use"
        }
        Expr::Async(_) | Expr::Await(_) => {
            "a limit is known without waiting: write an expression of type `usize`"
        }
        Expr::Infer(_) => "a limit is a number: write a number from 1 up",
        _ => return Ok(()),
    };
    Err(Error::new_spanned(strip_parens(value), problem))
}

/// Returns the number, or an error if it is no limit.
pub(super) fn read_literal(number: &LitInt) -> Result<LitInt> {
    let refuse = |message: String| Err(Error::new_spanned(number, message));
    if !matches!(number.suffix(), "" | "usize") {
        return refuse(format!(
            "a limit is a `usize`, not `{}`: write `{}`",
            number.suffix(),
            number.base10_digits()
        ));
    }
    match number.base10_parse::<usize>() {
        Ok(0) => refuse(String::from(
            "a limit of 0 would never admit a call: write a number from 1 up; to pause a \
             limiter while running, call its `set_limit(0)`",
        )),
        // The user's own token stays, so that the compiler of a 32-bit target reports it.
        Ok(value) if u32::try_from(value).is_err() => Ok(number.clone()),
        Ok(value) => {
            // The token resolves as ours, because lints about literals do not mean an attribute.
            let span = number.span().resolved_at(Span::mixed_site());
            Ok(LitInt::new(&format!("{value}usize"), span))
        }
        Err(_) => refuse(format!("this limit is too large: the largest is {}", usize::MAX)),
    }
}
